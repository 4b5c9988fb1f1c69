/** A seed for this run, printed so that the run can be repeated with `KIRIKAE_SEED`. */
export function logSeed(): number {
  const seed = Number(process.env["KIRIKAE_SEED"] ?? Date.now() % 1_000_000);
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
