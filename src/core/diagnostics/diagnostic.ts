import { catalogue, type DiagnosticCode } from "./catalogue.ts";
import type { Position } from "./position.ts";

/** How much a diagnostic weighs: an `error` makes `check` fail; whether `up` refuses is `blocksServing`. */
export type DiagnosticLevel = "error" | "warning" | "info";

/** One finding about the user's input. Codes are listed, with their meaning, in `docs/diagnostics.md`. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** The code of the same finding in `istioctl analyze`, where Istio has one, such as `IST0101`. */
  readonly istioCode: string | undefined;
  readonly level: DiagnosticLevel;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what to do about it. */
  readonly hint: string | undefined;
  /** The object it is about, as `Kind namespace/name`. */
  readonly resource: string | undefined;
  readonly at: Position | undefined;
}

/** What a diagnostic says beyond its code; level and Istio's code come from the catalogue. */
export interface DiagnosticDetail {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly resource?: string | undefined;
  readonly at?: Position | undefined;
}

/** Builds a diagnostic of a known code, with the level and the Istio code that the catalogue gives it. */
export function diagnostic(code: DiagnosticCode, detail: DiagnosticDetail): Diagnostic {
  const entry = catalogue[code];
  return {
    code,
    istioCode: entry.istioCode,
    level: entry.level,
    message: detail.message,
    hint: detail.hint,
    resource: detail.resource,
    at: detail.at,
  };
}

/** Whether a finding keeps `up` from serving: the manifests would be misread, and not only one destination be missing. */
export function blocksServing(finding: Diagnostic): boolean {
  return finding.level === "error" && catalogue[finding.code].blocksServing !== false;
}
