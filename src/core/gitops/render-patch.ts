import { sortEdits, type TextEdit } from "./text-edit.ts";

const contextLines = 3;

interface Change {
  /** Lines of the text before, from and up to (not with); counted from 0. */
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/**
 * A unified diff of one file that `git apply` takes. Lines keep their own ends, so that a file with CRLF stays one.
 * Source: POSIX diff, "Diff -u Output Format"; git, `diff-format`, for what a missing last line end is called.
 * @param path relative to the root that the patch is applied in
 */
export function renderPatch(path: string, text: string, edits: readonly TextEdit[]): string {
  const lines = splitLines(text);
  const hunks = groupChanges(findChanges(text, lines, sortEdits(edits)));
  if (hunks.length === 0) return "";
  let shift = 0;
  const parts = [`--- ${quotePath(`a/${path}`)}\n`, `+++ ${quotePath(`b/${path}`)}\n`];
  for (const changes of hunks) {
    const { rendered, added } = renderHunk(lines, changes, shift);
    shift += added;
    parts.push(rendered);
  }
  return parts.join("");
}

/** Each with its line end; the last may have none. */
function splitLines(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/gu) ?? [];
}

function findChanges(text: string, lines: readonly string[], edits: readonly TextEdit[]): readonly Change[] {
  const starts: number[] = [];
  let at = 0;
  for (const line of lines) {
    starts.push(at);
    at += line.length;
  }
  const lineOf = (offset: number): number => {
    const next = starts.findIndex((start) => start > offset);
    return next === -1 ? lines.length - 1 : next - 1;
  };
  const changes: { start: number; end: number; edits: TextEdit[] }[] = [];
  for (const edit of edits) {
    const isWholeLines = edit.start === edit.end && (edit.start === text.length || starts.includes(edit.start));
    const start = edit.start === text.length && text.endsWith("\n") ? lines.length : lineOf(edit.start);
    const end = isWholeLines ? start : lineOf(Math.max(edit.start, edit.end - 1)) + 1;
    const last = changes.at(-1);
    if (last !== undefined && start < last.end) {
      last.edits.push(edit);
      last.end = Math.max(last.end, end);
    } else changes.push({ start, end, edits: [edit] });
  }
  return changes.map((change) => {
    const from = starts[change.start] ?? text.length;
    const to = change.end === change.start ? from : (starts[change.end] ?? text.length);
    let result = "";
    let offset = from;
    for (const edit of change.edits) {
      result += text.slice(offset, edit.start) + edit.text;
      offset = edit.end;
    }
    return { start: change.start, end: change.end, lines: splitLines(result + text.slice(offset, to)) };
  });
}

/** Changes whose context would touch are one hunk. */
function groupChanges(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && change.start - before.end <= 2 * contextLines) last.push(change);
    else groups.push([change]);
  }
  return groups;
}

function renderHunk(
  lines: readonly string[],
  changes: readonly Change[],
  shift: number,
): { readonly rendered: string; readonly added: number } {
  const first = changes[0]?.start ?? 0;
  const last = changes.at(-1)?.end ?? 0;
  const start = Math.max(0, first - contextLines);
  const end = Math.min(lines.length, last + contextLines);
  const body: string[] = [];
  let at = start;
  let added = 0;
  for (const change of changes) {
    body.push(...lines.slice(at, change.start).map((line) => renderLine(" ", line)));
    body.push(...lines.slice(change.start, change.end).map((line) => renderLine("-", line)));
    body.push(...change.lines.map((line) => renderLine("+", line)));
    added += change.lines.length - (change.end - change.start);
    at = change.end;
  }
  body.push(...lines.slice(at, end).map((line) => renderLine(" ", line)));
  const before = renderRange(start, end - start);
  const after = renderRange(start + shift, end - start + added);
  return { rendered: `@@ -${before} +${after} @@\n${body.join("")}`, added };
}

/** Lines count from 1; a range without lines names the one before it. */
function renderRange(start: number, count: number): string {
  if (count === 1) return `${start + 1}`;
  return `${count === 0 ? start : start + 1},${count}`;
}

function renderLine(sign: string, line: string): string {
  return line.endsWith("\n") ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`;
}

/** As git quotes names that would not be clear (git config, `core.quotePath`). */
function quotePath(path: string): string {
  return /["\\\t\n\r]/u.test(path) ? JSON.stringify(path) : path;
}
