import type { SuppressedFinding } from "../../core/diagnostics/apply-suppressions.ts";
import type { Diagnostic, DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import { renderPosition } from "../../core/diagnostics/position.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";
import type { SourceLines } from "../source-lines.ts";
import { renderExcerpt } from "./excerpt.ts";
import { countOf } from "./words.ts";

/** Each finding with its place, the line it points at with a caret below the column, and what to do. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], lines: SourceLines, ink: Ink): string {
  return diagnostics.map((finding) => renderDiagnostic(finding, lines, ink)).join("\n");
}

function renderDiagnostic(finding: Diagnostic, lines: SourceLines, ink: Ink): string {
  const { at } = finding;
  const template = at === undefined ? undefined : lines.helmSource(at.file, at.line);
  const parts = [
    renderHead(finding, inkLevel(finding.level, ink), ink),
    at === undefined ? "" : renderPlace(lines.excerpt(at.file, at.line), at, ink),
    template === undefined ? "" : renderRemark("template", template, ink),
    finding.hint === undefined ? "" : renderRemark("hint", finding.hint, ink),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** What annotations silence, each with the reason that was given. */
export function renderSuppressed(suppressed: readonly SuppressedFinding[], ink: Ink): string {
  return suppressed
    .map(({ finding, suppression }) => {
      const word = ink.dim(`suppressed ${finding.level}`);
      const reason = `${suppression.reason} (${renderPosition(suppression.at)})`;
      return `${renderHead(finding, word, ink)}\n${renderRemark("reason", reason, ink)}`;
    })
    .join("\n");
}

function renderHead(finding: Diagnostic, level: string, ink: Ink): string {
  const { at, code, istioCode, message, resource } = finding;
  const place = at === undefined ? "" : `${ink.bold(neutraliseLine(renderPosition(at)))} `;
  const codes = istioCode === undefined ? code : `${code} ${istioCode}`;
  const about = resource === undefined ? "" : ink.dim(` (${neutraliseLine(resource)})`);
  return `${place}${level} ${codes} ${neutraliseLine(message)}${about}`;
}

function renderRemark(word: string, text: string, ink: Ink): string {
  return `  ${ink.dim(`${word}:`)} ${neutraliseLine(text)}`;
}

function inkLevel(level: DiagnosticLevel, ink: Ink): string {
  if (level === "error") return ink.red("error");
  return level === "warning" ? ink.yellow("warning") : ink.cyan("info");
}

function renderPlace(
  text: string | undefined,
  at: { readonly line: number; readonly column: number },
  ink: Ink,
): string {
  return text === undefined || text.trim() === "" ? "" : renderExcerpt(text, at, ink);
}

export interface SummaryCounts {
  readonly diagnostics: readonly Diagnostic[];
  readonly suppressedCount: number;
  readonly fileCount: number;
  /** Set where live objects are counted and no files. */
  readonly from?: "objects" | undefined;
}

/** `2 errors, 1 warning, 1 suppressed in 4 files`. */
export function renderSummary({ diagnostics, suppressedCount, fileCount, from }: SummaryCounts, ink: Ink): string {
  const count = (level: DiagnosticLevel) => diagnostics.filter((finding) => finding.level === level).length;
  const errors = count("error");
  const parts = [countOf(errors, "error"), countOf(count("warning"), "warning")];
  if (count("info") > 0) parts.push(`${count("info")} info`);
  if (suppressedCount > 0) parts.push(`${suppressedCount} suppressed`);
  const text = `${parts.join(", ")} in ${countOf(fileCount, from === "objects" ? "object" : "file")}`;
  return errors === 0 ? ink.green(text) : ink.red(text);
}
