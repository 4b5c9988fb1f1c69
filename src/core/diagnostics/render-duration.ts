/** `250 ms`, `1.5 s`, `2 min`, `63 h`. */
export function renderDuration(ms: number): string {
  if (ms < 1_000) return `${round(ms)} ms`;
  if (ms < 120_000) return `${round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${round(ms / 60_000)} min`;
  return `${round(ms / 3_600_000)} h`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
