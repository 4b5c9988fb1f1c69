/**
 * What a name or message from a file could use to be read as something else: control characters, line and paragraph
 * separators, and the marks that turn the direction of writing (Unicode TR 36, and the "trojan source" marks), beside
 * invisible tag characters.
 */
const deceptive = /(?![\n\t])\p{Cc}|[\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u206F\u{E0000}-\u{E007F}]/gu;

/** Each such character becomes U+FFFD, so that it is seen and does nothing. Line feeds and tabs stay. */
export function neutralise(text: string): string {
  return text.replaceAll(deceptive, "\uFFFD");
}

/** The same for a part of one line: a line feed in a name must not look like the next line of the answer. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replaceAll(/[\n\t]/gu, " ");
}

/** JSON for scripts. Its value is whole: what a terminal would obey is written as an escape. */
export function renderJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(deceptive, (found) =>
    Array.from({ length: found.length }, (_, index) => escapeUnit(found.charCodeAt(index))).join(""),
  );
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
