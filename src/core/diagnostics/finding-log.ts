import { catalogue, type DiagnosticCode } from "./catalogue.ts";
import { diagnostic, type Diagnostic, type DiagnosticDetail, type DiagnosticLevel } from "./diagnostic.ts";
import type { Position } from "./position.ts";

/**
 * How many findings of one level are kept for one file; the others are only counted. Errors that keep `up` from serving
 * count apart, so that the first of them is never hidden by a hundred others.
 */
const keptPerLevel = 100;

/** Collects the findings about one file and keeps a hopeless file from drowning everything else. */
export class FindingLog {
  readonly #start: Position;
  readonly #kept: Diagnostic[] = [];
  readonly #counts: Record<Weight, number> = { blocking: 0, error: 0, warning: 0, info: 0 };

  /** `start` is where a finding about the file as a whole points to. */
  constructor(start: Position) {
    this.#start = start;
  }

  report(code: DiagnosticCode, detail: () => DiagnosticDetail): void {
    const weight = weightOf(code);
    this.#counts[weight] += 1;
    if (this.#counts[weight] <= keptPerLevel) {
      this.#kept.push(diagnostic(code, detail()));
    }
  }

  /** What was found, in the order of the text, with one line at the end for each level that was cut. */
  findings(): readonly Diagnostic[] {
    const findings = this.#kept.toSorted(comparePlaces);
    for (const weight of ["blocking", "error", "warning", "info"] as const) {
      const left = this.#counts[weight] - keptPerLevel;
      if (left > 0) {
        const level = weight === "blocking" ? "error" : weight;
        const noun = level === "info" ? "note" : level;
        const message = `There are ${left} more ${noun}${left === 1 ? "" : "s"} in ${this.#start.file}.`;
        const hint = `Correct the first ${keptPerLevel} and check again.`;
        // It weighs what it counts, so that findings which nobody sees do not pass for none.
        findings.push({ ...diagnostic("KIR1011", { message, hint, at: this.#start }), level });
      }
    }
    return findings;
  }
}

type Weight = DiagnosticLevel | "blocking";

function weightOf(code: DiagnosticCode): Weight {
  const { level, blocksServing } = catalogue[code];
  return level === "error" && blocksServing !== false ? "blocking" : level;
}

function comparePlaces(left: Diagnostic, right: Diagnostic): number {
  const lines = (left.at?.line ?? 0) - (right.at?.line ?? 0);
  return lines === 0 ? (left.at?.column ?? 0) - (right.at?.column ?? 0) : lines;
}
