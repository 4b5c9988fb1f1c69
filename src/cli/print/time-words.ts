/** `45 s`, `9 min 32 s`, `2 h 5 min`, `3 d 4 h`: for what is counted down; never below 0. */
export function renderLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joinUnits([minutes, "min"], [seconds % 60, "s"]);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joinUnits([hours, "h"], [minutes % 60, "min"]);
  return joinUnits([Math.floor(hours / 24), "d"], [hours % 24, "h"]);
}

function joinUnits(...parts: readonly (readonly [number, string])[]): string {
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** `just now`, `12 s ago`. */
export function renderAgo(ms: number): string {
  return ms < 1_000 ? "just now" : `${renderLeft(ms - 999)} ago`;
}

/** ISO 8601 without fractions, as people read it. */
export function renderInstant(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/u, "Z");
}
