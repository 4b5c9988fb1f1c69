import { displayWidth, graphemesOf } from "../display-width.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";

/** How many characters of a line are shown; of a longer one those around the column. */
const shownLength = 100;

/** How far around the column a line is looked at, so that a line of megabytes costs nothing. */
const reach = 400;

export interface ExcerptPlace {
  readonly line: number;
  /** In UTF-16 units, counted from 1. */
  readonly column: number;
}

/**
 * The line, and a caret under its column. Characters are counted as they are drawn: a wide one takes two columns, an
 * accent none; a tab is shown as one space.
 */
export function renderExcerpt(text: string, at: ExcerptPlace, ink: Ink): string {
  const offset = Math.min(Math.max(at.column - 1, 0), text.length);
  const before = takeLast(graphemesOf(neutraliseLine(text.slice(Math.max(0, offset - reach), offset))), text, offset);
  const after = graphemesOf(neutraliseLine(text.slice(offset, offset + reach))).slice(0, shownLength - before.length);
  const number = String(at.line).padStart(5);
  const indent = " ".repeat(displayWidth(before.join("")));
  return `${ink.dim(`${number} | `)}${before.join("")}${after.join("")}\n${ink.dim(`${" ".repeat(number.length)} | `)}${indent}${ink.red("^")}`;
}

/** What stands before the caret: all of it where the line fits, else half of what is shown. */
function takeLast(before: readonly string[], text: string, offset: number): readonly string[] {
  if (text.length <= shownLength) return before;
  const room = Math.max(shownLength / 2, shownLength - (text.length - offset));
  return before.slice(Math.max(0, before.length - room));
}
