import { displayWidth, graphemesOf } from "../display-width.ts";
import type { Ink } from "../ink.ts";

/** One branch of a tree: a short label, and a text that may take several lines. */
export interface TreeRow {
  readonly label: string;
  readonly text: string;
  readonly labelTone?: Tone;
  readonly tone?: Tone;
}

/** What a colour is to say. */
export type Tone = "good" | "bad" | "warn" | "quiet" | "strong" | "shout" | "plain";

export interface TreeOptions {
  readonly ink: Ink;
  readonly indent: string;
  /** Of the terminal; texts go on in the next line, under where they began. */
  readonly columns: number;
}

/** A text that is narrower than this cannot be read; it may then be wider than the terminal. */
const leastTextWidth = 16;

/** Rows as the branches of what stands above them. */
export function renderTree(rows: readonly TreeRow[], { ink, indent, columns }: TreeOptions): string {
  const labelWidth = Math.max(0, ...rows.map(({ label }) => displayWidth(label)));
  const textWidth = Math.max(leastTextWidth, columns - displayWidth(indent) - labelWidth - 5);
  return rows
    .flatMap(({ label, text, labelTone = "plain", tone = "plain" }, index) => {
      const isLast = index === rows.length - 1;
      const padding = " ".repeat(labelWidth - displayWidth(label));
      return wrapText(text, textWidth).map((line, number) => {
        const branch = branchOf(number === 0, isLast);
        const head = number > 0 ? " ".repeat(labelWidth) : `${paint(ink, labelTone, label)}${padding}`;
        return `${indent}${ink.dim(branch)}${head}  ${paint(ink, tone, line)}`.trimEnd();
      });
    })
    .join("\n");
}

/** Lines of at most this many columns, broken between words where that is possible. */
function wrapText(text: string, width: number): readonly string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  // A number and its percent sign stay together.
  for (const word of text.split(/ (?!%)/u)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = breakWord(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? "";
  }
  return [...lines, line];
}

function breakWord(word: string, width: number): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const grapheme of graphemesOf(word)) {
    if (displayWidth(piece + grapheme) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += grapheme;
  }
  return [...pieces, piece];
}

function paint(ink: Ink, tone: Tone, text: string): string {
  switch (tone) {
    case "good":
      return ink.green(text);
    case "bad":
      return ink.red(text);
    case "warn":
      return ink.yellow(text);
    case "quiet":
      return ink.dim(text);
    case "strong":
      return ink.bold(text);
    case "shout":
      return ink.red(ink.bold(text));
    case "plain":
      return text;
  }
}

function branchOf(isFirstLine: boolean, isLast: boolean): string {
  if (isFirstLine) return isLast ? "└─ " : "├─ ";
  return isLast ? "   " : "│  ";
}
