import type { CodeMeaning } from "../commands/explain-code.ts";
import type { Ink } from "../ink.ts";

/** A code with its level, what it means, and whether it can be silenced. */
export function renderCodeMeaning(found: CodeMeaning, ink: Ink): string {
  const { code, istioCode, level, title, meaning } = found;
  const codes = istioCode === null ? code : `${code} ${istioCode}`;
  return `${ink.bold(codes)} ${level ?? "ends a command"}: ${title}\n  ${meaning}${renderSilence(found, ink)}`;
}

function renderSilence({ level, code, canBeSilenced }: CodeMeaning, ink: Ink): string {
  if (level === null) return "";
  const text = canBeSilenced
    ? `can be silenced for one object: kirikae.dev/ignore: "${code}: the reason"`
    : "cannot be silenced";
  return `\n  ${ink.dim(text)}`;
}
