/** `1 error`, `2 errors`. */
export function countOf(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** Text that came from elsewhere, ended so that another sentence can follow. */
export function asSentence(text: string): string {
  const trimmed = text.trimEnd().replace(/[;,]$/u, "");
  return trimmed === "" || /[.!?]$/u.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** Requests per second, as fine as they are few: `0.3`, `120`. */
export function renderRate(perSecond: number): string {
  return perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}
