import { gainingDestinations, isSameShare, totalWeight } from "../../src/core/release/move/split-weights.ts";
import type { MovePlan } from "../../src/core/release/move/move.ts";
import type { DestinationId, SplitId, SplitWeights, WeightOverrides } from "../../src/core/routes/route-table.ts";
import type { ApplyOptions, ApplyReport, PreflightReport, Target } from "../../src/engine/ports.ts";
import { RecordingTarget } from "../../src/targets/recording.ts";

/** The recording target with versions that can be without endpoints, and what must never happen to its weights. */
export class WatchedTarget extends RecordingTarget implements Target {
  readonly broken: string[] = [];
  readonly dead = new Set<DestinationId>();
  /** Rules that somebody moves back whatever there is. */
  readonly #unasked = new Set<SplitId>();
  /** Rules that have weights which nobody could prove: a move after that begins from what the journal says. */
  readonly #doubtful = new Set<SplitId>();
  /** What was live before the last change of each rule. */
  readonly #before = new Map<SplitId, SplitWeights>();

  override async preflight(plan?: MovePlan): Promise<PreflightReport> {
    if (plan === undefined) return { ok: true, checks: [] };
    for (const { split } of plan.changes) {
      if (plan.asks === "none") this.#unasked.add(split);
      else this.#unasked.delete(split);
    }
    const gaining = plan.changes.flatMap(({ before, after }) => gainingDestinations(before, after));
    const dead = plan.asks === "none" ? [] : gaining.filter((id) => this.dead.has(id));
    const checks = dead.map((id) => ({ name: id, verdict: "fail" as const, detail: "no endpoint is ready" }));
    return { ok: dead.length === 0, checks };
  }

  override async apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const seen = new Map((await this.observe([...weights.keys()])).map((each) => [each.split, each.weights]));
    for (const [split, next] of weights) {
      const now = seen.get(split);
      if (totalWeight(next) <= 0) this.broken.push(`${split} was to have no weight at all`);
      if (now !== undefined) this.#checkGains(split, now, next);
    }
    const report = await super.apply(weights, options);
    // One that was refused has changed nothing, and what was before it is still what was before.
    for (const { split, weights: after } of await this.observe([...weights.keys()])) {
      const before = seen.get(split);
      if (report.kind === "proved") this.#doubtful.delete(split);
      if (before === undefined || after === undefined || isSameShare(before, after)) continue;
      this.#before.set(split, before);
      if (report.kind !== "proved") this.#doubtful.add(split);
    }
    return report;
  }

  /** Whoever takes a move back may have no other choice; everybody else asks first. */
  #checkGains(split: SplitId, now: SplitWeights, next: SplitWeights): void {
    const isRestore = isSameShare(this.#before.get(split) ?? {}, next);
    if (isRestore || this.#unasked.has(split) || this.#doubtful.has(split)) return;
    for (const id of gainingDestinations(now, next)) {
      if (this.dead.has(id)) this.broken.push(`${split} gave ${id} more, which has no ready endpoint`);
    }
  }
}
