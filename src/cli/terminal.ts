import { randomInt } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { displayWidth } from "./display-width.ts";
import { createInk, wantsColour, type Ink } from "./ink.ts";
import { neutralise } from "./neutralise.ts";
import { Screen } from "./screen.ts";

/** The two streams of a command: answers go to stdout, everything else to stderr. The only place that prints. */
export interface Terminal {
  /** Colours for answers. */
  readonly ink: Ink;
  /** Colours for notes. */
  readonly noteInk: Ink;
  readonly isInteractive: boolean;
  /** Aborted when the reader of the answers has gone, as in `kirikae status --watch | head -1`. */
  readonly closed: AbortSignal;
  readonly columns: number;
  /** Prints a part of the answer, and ends its line. */
  answer(text: string): void;
  /** Prints progress or a diagnostic, and ends its line. */
  note(text: string): void;
  /** Shows this text in place of all that the terminal showed; only lines that changed are written. */
  redraw(text: string): void;
}

export function openTerminal(streams: Pick<NodeJS.Process, "stdout" | "stderr" | "env">): Terminal {
  const { stdout, stderr, env } = streams;
  const closed = new AbortController();
  stdout.on("error", (error) => {
    ignoreClosedPipe(error);
    closed.abort();
  });
  stderr.on("error", ignoreClosedPipe);
  const seal = createSeal();
  const withoutControls = keepOwnColours(seal);
  const screen = new Screen();
  return {
    ink: createInk(wantsColour(env, stdout.isTTY), seal),
    noteInk: createInk(wantsColour(env, stderr.isTTY), seal),
    closed: closed.signal,
    isInteractive: stdout.isTTY,
    get columns() {
      return stdout.isTTY ? stdout.columns : 80;
    },
    answer: (text) => void stdout.write(`${withoutControls(text)}\n`),
    note: (text) => void stderr.write(`${withoutControls(text)}\n`),
    redraw: (text) => {
      const { rows, columns } = stdout;
      const drawn = screen.draw(withoutControls(text), { rows, columns });
      if (drawn !== "") stdout.write(drawn);
    },
  };
}

/** A reader may close the pipe early; that is its right and no error. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** Numbers that no file can know, as parameters of a colour sequence; four digits each, as sequences have them. */
function createSeal(): string {
  return Array.from({ length: 4 }, () => `;${randomInt(1_000, 10_000)}`).join("");
}

/** Names and messages come from files and requests; only the ink's own colours may reach the terminal as more than text. */
function keepOwnColours(seal: string): (text: string) => string {
  const escape = String.fromCodePoint(0x1b);
  const own = new RegExp(`${escape}\\[(\\d+)${seal}m`, "u");
  return (text) =>
    text
      .split(own)
      .map((part, index) => (index % 2 === 1 ? `${escape}[${part}m` : neutralise(part)))
      .join("");
}

/** How many columns a text takes, colours left out. */
export function visibleLength(text: string): number {
  return displayWidth(stripVTControlCharacters(text));
}

/** Columns as wide as their widest cell, two spaces apart. */
export function renderTable(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
  }
  const lines = rows.map((row) =>
    row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - visibleLength(cell))).join("  "),
  );
  return lines.map((line) => (indent + line).trimEnd()).join("\n");
}
