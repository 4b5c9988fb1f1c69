import { renderPosition } from "../../core/diagnostics/position.ts";
import type { Diagnostic, DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import type { Ink } from "../ink.ts";
import { countOf } from "./words.ts";

/** The longest source line that is shown; a longer one is cut around the column. */
const maxExcerpt = 100;

/** The lines of each text that diagnostics point into, by path. */
export type SourceLines = (path: string, line: number) => string | undefined;

/** Each finding with its place, the line it points at with a caret below the column, and what to do. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], lines: SourceLines, ink: Ink): string {
  return diagnostics.map((finding) => renderDiagnostic(finding, lines, ink)).join("\n");
}

function renderDiagnostic(finding: Diagnostic, lines: SourceLines, ink: Ink): string {
  const { at } = finding;
  const codes = finding.istioCode === undefined ? finding.code : `${finding.code} ${finding.istioCode}`;
  const place = at === undefined ? "" : `${ink.bold(renderPosition(at))} `;
  const resource = finding.resource === undefined ? "" : ink.dim(` (${finding.resource})`);
  const head = `${place}${inkLevel(finding.level, ink)} ${codes} ${finding.message}${resource}`;
  const excerpt = at === undefined ? "" : renderExcerpt(lines(at.file, at.line), at, ink);
  const hint = finding.hint === undefined ? "" : `  ${ink.dim("hint:")} ${finding.hint}`;
  return [head, excerpt, hint].filter((part) => part !== "").join("\n");
}

function inkLevel(level: DiagnosticLevel, ink: Ink): string {
  if (level === "error") return ink.red("error");
  return level === "warning" ? ink.yellow("warning") : ink.cyan("info");
}

interface ExcerptPlace {
  readonly line: number;
  readonly column: number;
}

/** The line and a caret; tabs become one space so that the caret stays below its column. */
function renderExcerpt(text: string | undefined, at: ExcerptPlace, ink: Ink): string {
  if (text === undefined || text.trim() === "") return "";
  const start = Math.max(0, Math.min(at.column - 1 - maxExcerpt / 2, text.length - maxExcerpt));
  const shown = text.slice(start, start + maxExcerpt).replaceAll("\t", " ");
  const gutter = `${String(at.line).padStart(5)} | `;
  const caret = " ".repeat(Math.max(0, Math.min(at.column - 1 - start, shown.length)));
  return `${ink.dim(gutter)}${shown}\n${ink.dim("      | ")}${caret}${ink.red("^")}`;
}

/** `2 errors, 1 warning in 4 files`. */
export function renderSummary(diagnostics: readonly Diagnostic[], fileCount: number, ink: Ink): string {
  const count = (level: DiagnosticLevel) => diagnostics.filter((finding) => finding.level === level).length;
  const errors = count("error");
  const parts = [countOf(errors, "error"), countOf(count("warning"), "warning")];
  if (count("info") > 0) parts.push(`${count("info")} info`);
  const text = `${parts.join(", ")} in ${countOf(fileCount, "file")}`;
  return errors === 0 ? ink.green(text) : ink.red(text);
}
