import type { SourceText } from "../core/manifest/manifest.ts";

/** The texts that findings point into. Lines count from 1. */
export interface SourceLines {
  /** A line as it stands; undefined where there is none, or where it may hold a secret. */
  excerpt(path: string, line: number): string | undefined;
  /** The template that Helm made the place from, as its `# Source:` comment names it. */
  helmSource(path: string, line: number): string | undefined;
}

/** Splits a text only when a finding points into it. */
export function createSourceLines(sources: readonly SourceText[]): SourceLines {
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  const split = new Map<string, readonly string[]>();
  const linesOf = (path: string): readonly string[] => {
    const known = split.get(path) ?? texts.get(path)?.split(/\r\n|\r|\n/u) ?? [];
    split.set(path, known);
    return known;
  };
  return {
    excerpt: (path, line) => {
      const lines = linesOf(path);
      return (texts.get(path) ?? "").includes("Secret") && isInSecret(lines, line) ? undefined : lines[line - 1];
    },
    helmSource: (path, line) => {
      const mark = "# Source: ";
      if (!(texts.get(path) ?? "").includes(mark)) return undefined;
      const lines = linesOf(path);
      const comment = lines.slice(startOf(lines, line), line).findLast((text) => text.startsWith(mark));
      return comment?.slice(mark.length).trim();
    },
  };
}

/** Where the document of a line begins, counted from 0: after the last line of `---`. */
function startOf(lines: readonly string[], line: number): number {
  return lines.slice(0, line).findLastIndex(isDocumentStart) + 1;
}

function isDocumentStart(text: string): boolean {
  return /^---(?:\s|$)/u.test(text);
}

/** Keys lie in plain sight in a Secret, and a List may hold one among others. */
function isInSecret(lines: readonly string[], line: number): boolean {
  const end = lines.findIndex((text, index) => index >= line && isDocumentStart(text));
  const document = lines.slice(startOf(lines, line), end === -1 ? undefined : end);
  return document.some((text) => /kind["']?\s*:\s*["']?Secret(?:List)?\b/u.test(text));
}
