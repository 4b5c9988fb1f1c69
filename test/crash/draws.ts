/** The same draws each time, so that a red run is about the commit; `npm run soak` draws anew. */
export function seedOfDraws(): number {
  return Number(process.env["KIRIKAE_SEED"] ?? 20_261_121);
}

/** The seed, which it prints: `KIRIKAE_SEED` repeats the run. */
export function logSeed(): number {
  const seed = seedOfDraws();
  console.log(`KIRIKAE_SEED=${seed}`);
  return seed;
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function drawsOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
