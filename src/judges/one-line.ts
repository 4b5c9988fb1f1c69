/**
 * What a text of somebody else could use to be read as something else: control characters, line and paragraph separators,
 * and marks that turn the direction of writing (Unicode TR 36).
 */
const deceptive = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u206F\u{E0000}-\u{E007F}]/gu;

const mostCharacters = 200;

/** What somebody else's program has said, in one harmless and short line. */
export function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/gu, " ").replaceAll(deceptive, "\uFFFD");
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters).toWellFormed()}…` : line;
}
