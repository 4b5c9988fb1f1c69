import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { SplitId, SplitWeights, WeightOverrides } from "../../src/core/routes/route-table.ts";
import type { ApplyReport, LedgerSession, ObservedSplit, PreflightReport, Target } from "../../src/engine/ports.ts";
import { dieNow } from "./crashing-journal.ts";

/** A moment in one apply, counted from 1. `middle` is after the first of several splits. */
export interface ApplyCrashPoint {
  readonly apply: number;
  readonly when: "before" | "middle" | "after";
}

export interface FileWorldOptions {
  readonly file: string;
  readonly crash?: ApplyCrashPoint | undefined;
  /** The first so many applies take only their first split and prove nothing. */
  readonly failing?: number;
}

export function readWorld(file: string): ReadonlyMap<SplitId, SplitWeights> {
  const content: Record<SplitId, SplitWeights> = JSON.parse(readFileSync(file, "utf8"));
  return new Map(Object.entries(content));
}

export function writeWorld(file: string, weights: WeightOverrides): void {
  writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(weights)));
  renameSync(`${file}.new`, file);
}

/** A target whose proxies are one file, which outlives the process as Envoy does. Splits are taken one by one. */
export class FileWorld implements Target {
  readonly name = "file";
  readonly #options: FileWorldOptions;
  #applies = 0;

  constructor(options: FileWorldOptions) {
    this.#options = options;
  }

  async preflight(): Promise<PreflightReport> {
    return { ok: true, checks: [] };
  }

  async apply(weights: WeightOverrides): Promise<ApplyReport> {
    this.#applies += 1;
    const { file, failing = 0 } = this.#options;
    this.#dieAt("before");
    for (const [split, next] of weights) {
      writeWorld(file, new Map(readWorld(file)).set(split, next));
      this.#dieAt("middle");
      if (this.#applies <= failing) return { kind: "unproved", proxies: [], message: "Not every proxy answered." };
    }
    this.#dieAt("after");
    return { kind: "proved", callToProofMs: 1, proxies: [{ node: "file", ackMs: 1, workersMs: 1 }] };
  }

  async observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    const world = readWorld(this.#options.file);
    return splits.map((split) => ({ split, weights: world.get(split) }));
  }

  async openLedger(): Promise<LedgerSession> {
    return {
      markCall() {},
      markDone() {},
      async close() {
        const byVersion = {};
        const counts = { requests: 0, ok: 0, failed: 0, oldAfterDone: 0, clientGone: 0 };
        return { ...counts, byVersion, lastOldMs: null, failures: [], isComplete: true };
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  #dieAt(when: ApplyCrashPoint["when"]): void {
    const { crash } = this.#options;
    if (crash?.apply === this.#applies && crash.when === when) dieNow();
  }
}
