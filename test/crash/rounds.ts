/** How often a random fault is tried: a few times in `npm test`, more often in the soak (`npm run soak`). */
export function rounds(counts: { readonly test: number; readonly soak: number }): number {
  return process.env["KIRIKAE_SOAK"] === undefined ? counts.test : counts.soak;
}

/** Whether every crash point is tried: in `npm run soak:crashes`, which `.ci/run` calls, and in the soak. */
export const triesEveryCrash =
  process.env["KIRIKAE_EVERY_CRASH"] !== undefined || process.env["KIRIKAE_SOAK"] !== undefined;
