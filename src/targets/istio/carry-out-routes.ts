import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ApplyOptions, ApplyReport } from "../../engine/ports.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { ApiPatience } from "./api-patience.ts";
import { complainReplaced } from "./check-replaced.ts";
import type { Evidence } from "./evidence.ts";
import { isConfigKnown } from "./known-config.ts";
import { findNeed, type Need } from "./needed-proxies.ts";
import { planRouteWrites, type RouteChange, type RoutePlan } from "./plan-route-writes.ts";
import { type Baseline, type ProofParts, readBaseline } from "./baseline.ts";
import { type ProofReport, proveAtProxies } from "./prove-at-proxies.ts";
import type { SiteView } from "./site-view.ts";
import { describeObject, takeBack, type Undo, writeObjects, type Writing } from "./write-objects.ts";

export interface RouteParts extends ProofParts {
  readonly view: SiteView;
  readonly onTrouble?: (message: string) => void;
}

export interface RouteWork {
  /** When the caller called. */
  readonly calledMs: number;
  readonly change: RouteChange;
  readonly evidence: Evidence;
  /** That everything is as it was, for when it is taken back. */
  readonly evidenceBefore: Evidence;
  /** `namespace/name` of the VirtualServices whose proxies are to show it. */
  readonly services: readonly string[];
  /** Whether what could not be proved in time is taken back; a move leaves that to whoever asked for it. */
  readonly takesBackUnproved: boolean;
  readonly apply: ApplyOptions;
}

/** How long proxies may take to show again what they had before one of them refused. */
const restoreTimeoutMs = 15_000;

/** Plans, writes and proves one change of routes. What cannot be done is in the report, and taken back. */
export async function carryOutRoutes(parts: RouteParts, work: RouteWork): Promise<ApplyReport> {
  const patience = new ApiPatience(parts.clock);
  try {
    return await new RouteRun(parts, work, patience).run();
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return { kind: "unproved", proxies: [], message: errorText(error) };
  }
}

interface Prepared {
  readonly plan: Extract<RoutePlan, { readonly kind: "writes" }>;
  readonly baseline: Baseline;
}

interface ProvedState {
  readonly baseline: Baseline;
  readonly evidence: Evidence;
  readonly isWritten: boolean;
  /** What replicas of istiod have to know. */
  readonly live: readonly KubeObject[];
  readonly timeoutMs: number;
}

class RouteRun {
  readonly #parts: RouteParts;
  readonly #work: RouteWork;
  readonly #patience: ApiPatience;
  readonly #writing: Writing;
  readonly #need: Need;

  constructor(parts: RouteParts, work: RouteWork, patience: ApiPatience) {
    this.#parts = parts;
    this.#work = work;
    this.#patience = patience;
    this.#writing = { api: parts.api, patience, take: (object) => parts.view.take(object) };
    this.#need = findNeed(parts.view, work.services);
  }

  async run(): Promise<ApplyReport> {
    const prepared = await this.#prepare();
    if ("kind" in prepared) return prepared;
    const { plan, baseline } = prepared;
    const { clock } = this.#parts;
    const { evidence } = this.#work;
    const written = await writeObjects(plan.writes, this.#writing);
    if (written.kind === "refused") return refused(written);
    if (written.kind === "torn") return { kind: "unproved", proxies: [], message: written.message };
    const { timeoutMs } = this.#work.apply;
    const isWritten = written.answers.length > 0;
    const live = withAnswers(plan.live, written.answers);
    const proof = await this.#prove({ baseline, evidence, isWritten, live, timeoutMs });
    if (proof.kind === "rejected") return await this.#restore(proof, { baseline, undo: written.undo });
    if (proof.kind === "unproved") {
      if (!this.#work.takesBackUnproved) return proof;
      const failures = await takeBack(written.undo, this.#writing);
      return {
        ...proof,
        message: `${proof.message}; ${failures.length === 0 ? "it was taken back" : failures.join("; ")}`,
      };
    }
    const { proxies, note, passedOver } = proof;
    // The clock is fitted to the system's, so a difference may be a moment shorter than its parts.
    const callToProofMs = Math.max(clock.nowMs() - this.#work.calledMs, ...proxies.map(({ workersMs }) => workersMs));
    return {
      kind: "proved",
      callToProofMs,
      proxies,
      ...(note !== undefined && { note }),
      ...(passedOver.length > 0 && { passedOver }),
    };
  }

  /** Nothing is written yet, so whatever goes wrong is a refusal. */
  async #prepare(): Promise<Prepared | ApplyReport> {
    const { api, view } = this.#parts;
    const { change, evidence } = this.#work;
    try {
      const [plan, baseline] = await Promise.all([
        planRouteWrites(change, { api, view, patience: this.#patience }),
        this.#patience.ask(() => readBaseline(this.#parts, { evidence, need: this.#need })),
      ]);
      if (plan.kind === "refused") return refused({ resource: plan.resource, message: errorText(plan.error) });
      const { replaces = [] } = this.#work.apply;
      const moved = complainReplaced(view.table, { weights: change.weights, replaces });
      if (moved !== undefined) return refused({ resource: `rule ${moved.split}`, message: errorText(moved.error) });
      return { plan, baseline };
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      return refused({ resource: "to be read", message: errorText(error) });
    }
  }

  async #prove({ baseline, evidence, isWritten, live, timeoutMs }: ProvedState): Promise<ProofReport> {
    const { calledMs, apply } = this.#work;
    return await proveAtProxies(this.#parts, {
      evidence,
      need: this.#need,
      baseline,
      isWritten,
      calledMs,
      toldMs: this.#parts.clock.nowMs(),
      timeoutMs,
      unreachable: apply.unreachable ?? "wait",
      isWayBack: apply.isWayBack,
      patience: this.#patience,
      onProgress: apply.onProgress,
      isKnownTo: (istiod) => isConfigKnown(istiod, live),
    });
  }

  /** What a proxy has refused, the others may have taken: it is taken back from all of them. */
  async #restore(
    refusal: Extract<ProofReport, { readonly kind: "rejected" }>,
    { baseline, undo }: { readonly baseline: Baseline; readonly undo: readonly Undo[] },
  ): Promise<ApplyReport> {
    const failures = await takeBack(undo, this.#writing);
    if (failures.length > 0) {
      const message = `${refusal.node} refused it (${refusal.message}), and it could not be taken back: ${failures.join("; ")}`;
      return { kind: "unproved", proxies: [], message };
    }
    const names = undo.map(({ apply }) => describeObject(apply));
    const restored = await this.#prove({
      baseline,
      evidence: this.#work.evidenceBefore,
      isWritten: false,
      live: [],
      timeoutMs: restoreTimeoutMs,
    });
    const fate =
      restored.kind === "proved" ? "what ran before runs on" : "not every proxy has shown that it was taken back";
    return { ...refusal, message: `${refusal.message} (${names.join(", ")} taken back; ${fate})` };
  }
}

/** As they are now: those that were written have newer versions. */
function withAnswers(live: readonly KubeObject[], answers: readonly KubeObject[]): readonly KubeObject[] {
  const newest = new Map([...live, ...answers].map((object) => [describeObject(object), object]));
  return [...newest.values()];
}

/** Before the first write, or with none left of those that there were. */
function refused({ resource, message }: { readonly resource: string; readonly message: string }): ApplyReport {
  return { kind: "rejected", node: "the site", resource, message, isUntouched: true };
}
