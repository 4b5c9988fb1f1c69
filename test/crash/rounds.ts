/** How often a random fault is tried: a few times in `npm test`, more often in the soak (`npm run soak`). */
export function rounds(counts: { readonly test: number; readonly soak: number }): number {
  return process.env["KIRIKAE_SOAK"] === undefined ? counts.test : counts.soak;
}

const everyCrash = process.env["KIRIKAE_EVERY_CRASH"];

/** Whether more crash points are tried than in `npm test`: in `npm run soak:crashes` and in the soak. */
export const triesEveryCrash = everyCrash !== undefined || process.env["KIRIKAE_SOAK"] !== undefined;

/**
 * Of points in an order that a seed has drawn, the first in `npm test` and all of them in the soaks; with
 * `KIRIKAE_EVERY_CRASH=4`, as in `.ci/run`, a quarter of them.
 */
export function crashPoints(points: readonly string[]): readonly string[] {
  if (!triesEveryCrash) return points.slice(0, 1);
  const share = Math.max(1, Number(everyCrash ?? 1) || 1);
  return points.slice(0, Math.ceil(points.length / share));
}
