import { harmlessLine } from "../core/diagnostics/harmless-line.ts";

const mostCharacters = 201;

/** What somebody else's program has said, in one harmless and short line. */
export function oneLine(text: string): string {
  return harmlessLine(text.trim().replaceAll(/\s+/gu, " "), mostCharacters);
}
