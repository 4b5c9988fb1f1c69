import { stripVTControlCharacters } from "node:util";
import { displayWidth, graphemesOf } from "./display-width.ts";

export interface ScreenSize {
  readonly rows: number;
  readonly columns: number;
}

const home = "\u001B[H";
const clearBelow = "\u001B[J";
const clearLine = "\u001B[K";
/** Synchronized output (DEC private mode 2026): a terminal that knows it shows the whole change at once. */
const begin = "\u001B[?2026h";
const end = "\u001B[?2026l";

/** A text that is shown again and again in place; only the lines that changed are written. */
export class Screen {
  #shown: readonly string[] = [];
  #size: ScreenSize | undefined;

  /** What to write so that the terminal shows this text; empty where it does already. */
  draw(text: string, size: ScreenSize): string {
    const lines = fitLines(text.split("\n"), size);
    const isNew = this.#size === undefined || this.#size.rows !== size.rows || this.#size.columns !== size.columns;
    const before = isNew ? [] : this.#shown;
    this.#size = size;
    this.#shown = lines;
    const changes = lines.flatMap((line, index) =>
      line === before[index] ? [] : [`${moveTo(index)}${line}${clearLine}`],
    );
    if (!isNew && changes.length === 0 && lines.length === before.length) return "";
    // What is below goes before the lines come, so that the last line of a full screen stays.
    const clear = isNew
      ? `${home}${clearBelow}`
      : lines.length < before.length
        ? `${moveTo(lines.length)}${clearBelow}`
        : "";
    return `${begin}${clear}${changes.join("")}${moveTo(lines.length)}${end}`;
  }
}

/** Rows count from 1. */
function moveTo(index: number): string {
  return `\u001B[${index + 1};1H`;
}

/** As many lines as there is room for above the line of the cursor, none wider than the terminal. */
function fitLines(lines: readonly string[], { rows, columns }: ScreenSize): readonly string[] {
  const room = Math.max(1, rows - 1);
  if (lines.length <= room) return lines.map((line) => fitLine(line, columns));
  const hidden = lines.length - room + 1;
  const note = `... ${hidden} more lines; a taller window shows them`;
  return [...lines.slice(0, room - 1), note].map((line) => fitLine(line, columns));
}

const colour = new RegExp(String.raw`(${String.fromCodePoint(0x1b)}\[\d+m)`, "u");

/** Cut where it would go on in the next line; colours take no room, and those that end are kept. */
export function fitLine(line: string, columns: number): string {
  if (displayWidth(stripVTControlCharacters(line)) <= columns) return line;
  let left = Math.max(0, columns - 1);
  let isCut = false;
  let fitted = "";
  for (const part of line.split(colour)) {
    if (colour.test(part)) {
      fitted += part;
      continue;
    }
    for (const grapheme of isCut ? [] : graphemesOf(part)) {
      const width = displayWidth(grapheme);
      if (width > left) {
        isCut = true;
        fitted += "…";
        break;
      }
      left -= width;
      fitted += grapheme;
    }
  }
  return fitted;
}
