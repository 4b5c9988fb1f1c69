/** `250 ms`, `1.5 s`, `90 s`, `1 min`, `2 h`, `63 h`: the larger unit where it is whole, or there are two of it. */
export function renderDuration(ms: number): string {
  if (ms < 1_000) return `${round(ms)} ms`;
  if (ms < 120_000 && ms !== 60_000) return `${round(ms / 1_000)} s`;
  if (ms < 7_200_000 && ms !== 3_600_000) return `${round(ms / 60_000)} min`;
  return `${round(ms / 3_600_000)} h`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
