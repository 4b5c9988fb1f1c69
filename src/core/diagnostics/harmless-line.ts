/**
 * What a text of somebody else could use to be read as something else: control characters, line and paragraph separators,
 * and marks that turn the direction of writing (Unicode TR 36).
 */
const deceptive = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u206F\u{E0000}-\u{E007F}]/gu;

/** A text of somebody else for where others print it as it is, in one line and of at most so many characters. */
export function harmlessLine(text: string, most = Number.POSITIVE_INFINITY): string {
  const line = text
    .replaceAll(/[ \t]*[\r\n\t]+[ \t]*/gu, " ")
    .replaceAll(deceptive, "\uFFFD")
    .toWellFormed();
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line;
}
