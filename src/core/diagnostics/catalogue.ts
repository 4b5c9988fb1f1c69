import type { DiagnosticLevel } from "./diagnostic.ts";

/** What a code means, whoever raises it. A code is never reused; a retired one stays listed. */
export interface CatalogueEntry {
  readonly level: DiagnosticLevel;
  /** What the finding is called, in a few words. */
  readonly title: string;
  /** What it means for traffic, and what to do, in one or two sentences. */
  readonly meaning: string;
  readonly istioCode?: string;
}

/**
 * Every diagnostic that kirikae can give about input. `KIR1xxx` input, `KIR2xxx` release, `KIR3xxx` xDS and Envoy,
 * `KIR4xxx` Kubernetes, `KIR5xxx` environment. `docs/diagnostics.md` is generated from this table.
 */
const entries = {
  KIR1001: {
    level: "error",
    title: "YAML cannot be read",
    meaning: "The text is not valid YAML, so nothing in this document was understood.",
  },
  KIR1002: {
    level: "error",
    title: "input too large",
    meaning: "A file, a document or its aliases exceed the limits that keep reading bounded. Split the file.",
  },
  KIR1003: {
    level: "error",
    title: "not a Kubernetes object",
    meaning: "A document needs apiVersion, kind and metadata.name, each a string.",
  },
  KIR1004: {
    level: "error",
    title: "unknown field",
    meaning: "The kind has no such field. istiod ignores it without a word; kirikae does not guess what was meant.",
    istioCode: "IST0106",
  },
  KIR1005: {
    level: "error",
    title: "wrong type or value",
    meaning: "A field has a value that its schema does not allow.",
    istioCode: "IST0106",
  },
  KIR1006: {
    level: "error",
    title: "field not supported yet",
    meaning:
      "The field is Istio's and valid, but kirikae does not carry it out yet, and ignoring it would misread the manifest.",
  },
  KIR1007: {
    level: "warning",
    title: "part not served locally",
    meaning:
      "This part of the manifest is valid but has no effect in the local mesh; nothing listens for it or reads it.",
  },
  KIR1008: {
    level: "error",
    title: "duplicate object",
    meaning: "Two documents declare the same kind, namespace and name.",
  },
  KIR1009: {
    level: "info",
    title: "kind not read",
    meaning: "kirikae does not route by this kind; the document is left alone.",
  },
  KIR1010: {
    level: "error",
    title: "missing field",
    meaning: "A required field is absent.",
    istioCode: "IST0106",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type DiagnosticCode = keyof typeof entries;

export const catalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = entries;
