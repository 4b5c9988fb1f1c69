import type { DiagnosticLevel } from "./diagnostic.ts";

/** What a code means, whoever raises it. A code is never reused; a retired one stays listed. */
export interface CatalogueEntry {
  readonly level: DiagnosticLevel;
  /** What the finding is called, in a few words. */
  readonly title: string;
  /** What it means for traffic, and what to do, in one or two sentences. */
  readonly meaning: string;
  readonly istioCode?: string;
  /** False for an error that makes some requests fail and leaves every other as it should be. */
  readonly blocksServing?: false;
}
