import { catalogue, type DiagnosticCode } from "./catalogue.ts";
import { diagnostic, type Diagnostic } from "./diagnostic.ts";
import type { Position } from "./position.ts";

/** The annotation that silences findings about the object that carries it. */
export const ignoreAnnotation = "kirikae.dev/ignore";

/** The annotation as it stands on one object. */
export interface IgnoreAnnotation {
  /** `Kind namespace/name`, as findings name the object. */
  readonly resource: string;
  readonly text: string;
  readonly at: Position;
}

/** One entry of the annotation: this code, about this object, for this reason. */
export interface Suppression {
  /** A code of the catalogue, or one of Istio's that stands for several of them. */
  readonly code: string;
  readonly reason: string;
  readonly resource: string;
  readonly at: Position;
}

export interface ReadSuppressions {
  readonly suppressions: readonly Suppression[];
  /** Entries that silence nothing, because of how they are written. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Findings that no annotation can silence: they keep suppressions and counts honest, or tell of an object that a cluster
 * never takes, as every other of Istio's IST0106 does.
 */
const alwaysShown: ReadonlySet<DiagnosticCode> = new Set([
  "KIR1011",
  "KIR1080",
  "KIR1081",
  "KIR1082",
  "KIR1083",
  "KIR1340",
  "KIR1341",
]);

/**
 * Whether an annotation may silence a finding: what keeps `up` from serving means that a manifest was not understood,
 * and silence would not make it so.
 */
export function canBeSilenced(code: DiagnosticCode): boolean {
  if (alwaysShown.has(code)) return false;
  return catalogue[code].level !== "error" || catalogue[code].blocksServing === false;
}

/**
 * Reads `CODE: reason` entries, apart by semicolons or line ends. A reason is required, so that whoever reads the
 * manifest later knows when the entry can go; `because` and punctuation between code and reason are left out of it.
 */
export function parseSuppressions(annotation: IgnoreAnnotation): ReadSuppressions {
  const suppressions: Suppression[] = [];
  const diagnostics: Diagnostic[] = [];
  const { resource, at } = annotation;
  for (const entry of annotation.text.split(/[;\r\n]+/u)) {
    const text = entry.trim();
    if (text === "") continue;
    const read = readEntry(text);
    if ("code" in read) suppressions.push({ ...read, resource, at });
    else diagnostics.push(diagnostic(read.problem, { message: read.message, hint: read.hint, resource, at }));
  }
  return { suppressions, diagnostics };
}

type Entry = { readonly code: string; readonly reason: string } | EntryProblem;

interface EntryProblem {
  readonly problem: "KIR1080" | "KIR1081" | "KIR1083";
  readonly message: string;
  readonly hint: string;
}

function readEntry(text: string): Entry {
  const parts = /^(?<code>[A-Za-z]+\d+)\b[\s:,-]*(?:because\b)?(?<reason>.*)$/isu.exec(text)?.groups;
  const code = parts?.["code"]?.toUpperCase();
  if (code === undefined) {
    const message = `${quote(text)} in ${ignoreAnnotation} does not begin with a code.`;
    return { problem: "KIR1080", message, hint: 'Write each entry as "KIR1030: the reason", apart by semicolons.' };
  }
  const meant = codesOf(code);
  if (meant.length === 0) {
    const message = `${ignoreAnnotation} names ${quote(code)}, which no finding of kirikae carries.`;
    return { problem: "KIR1081", message, hint: "`kirikae check --explain CODE` says what a code means." };
  }
  if (!meant.some(canBeSilenced)) {
    const message = `${code} cannot be silenced, because the manifest would be misread.`;
    return { problem: "KIR1083", message, hint: "Correct what it is about, and take the entry away." };
  }
  const reason = (parts?.["reason"] ?? "").trim();
  if (reason === "") {
    const message = `${ignoreAnnotation} gives no reason for ${code}, so it silences nothing.`;
    return { problem: "KIR1080", message, hint: `Write "${code}: the reason".` };
  }
  return { code, reason };
}

/** The codes of the catalogue that a code means: itself, or all that carry it where it is Istio's. */
export function codesOf(code: string): readonly DiagnosticCode[] {
  return Object.keys(catalogue)
    .filter(isDiagnosticCode)
    .filter((known) => known === code || catalogue[known].istioCode === code);
}

function isDiagnosticCode(name: string): name is DiagnosticCode {
  return Object.hasOwn(catalogue, name);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
