import type { SourceText } from "../core/manifest/manifest.ts";

/** The texts that findings point into. Lines count from 1. */
export interface SourceLines {
  /** A line as it stands; undefined where there is none, or where it may hold a secret. */
  excerpt(path: string, line: number): string | undefined;
  /** The template that Helm made the place from, as its `# Source:` comment names it. */
  helmSource(path: string, line: number): string | undefined;
}

interface SplitText {
  readonly lines: readonly string[];
  readonly documents: readonly Part[];
}

/** A document of a text. */
interface Part {
  /** The index of its first line. */
  readonly start: number;
  readonly hasKind: boolean;
  readonly mayHoldSecret: boolean;
}

/** Splits a text only when a finding points into it. */
export function createSourceLines(sources: readonly SourceText[]): SourceLines {
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  const known = new Map<string, SplitText>();
  const split = (path: string): SplitText => {
    const found = known.get(path) ?? splitText(texts.get(path) ?? "");
    known.set(path, found);
    return found;
  };
  return {
    excerpt: (path, line) => {
      const { lines, documents } = split(path);
      return texts.has(path) && !isHidden(documents, line) ? lines[line - 1] : undefined;
    },
    helmSource: (path, line) => {
      const mark = "# Source: ";
      if (!(texts.get(path) ?? "").includes(mark)) return undefined;
      const { lines, documents } = split(path);
      const start = documents[indexOf(documents, line)]?.start ?? 0;
      const comment = lines.slice(start, line).findLast((text) => text.startsWith(mark));
      return comment?.slice(mark.length).trim();
    },
  };
}

function splitText(text: string): SplitText {
  const lines = text.split(/\r\n|\r|\n/u);
  const starts = [0, ...lines.flatMap((line, index) => (/^---(?:\s|$)/u.test(line) ? [index + 1] : []))];
  const documents = starts.map((start, index): Part => {
    const body = lines.slice(start, starts[index + 1] ?? lines.length);
    return {
      start,
      hasKind: body.some((line) => kindKey.test(line)),
      mayHoldSecret: body.some((line) => speaksOfSecret.test(line)),
    };
  });
  return { lines, documents };
}

/** The document that a line belongs to. */
function indexOf(documents: readonly Part[], line: number): number {
  let low = 0;
  let high = documents.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((documents[middle]?.start ?? 0) < line) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * Keys lie in plain sight in a Secret, and a List may hold one among others. Every document that speaks of one is hidden,
 * because YAML has many ways to write a kind; and so is one without a kind, which may be the rest of a broken Secret, or
 * values with passwords that are no manifest at all.
 */
function isHidden(documents: readonly Part[], line: number): boolean {
  const document = documents[indexOf(documents, line)];
  return document === undefined || document.mayHoldSecret || !document.hasKind;
}

/** The words themselves, a field that only a Secret has, a key in PEM, or a kind that is written with escapes. */
const speaksOfSecret = /Secret|ConfigMap|stringData|PRIVATE KEY|kind["']?\s*:.*\\/u;

const kindKey = /(?:^|["'{,\s-])kind["']?\s*:/u;
