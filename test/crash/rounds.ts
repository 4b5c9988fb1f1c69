/** How often a random fault is tried: a few times in `npm test`, more often in the soak (`npm run soak`). */
export function rounds(counts: { readonly test: number; readonly soak: number }): number {
  return process.env["KIRIKAE_SOAK"] === undefined ? counts.test : counts.soak;
}
