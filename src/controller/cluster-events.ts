import { randomUUID } from "node:crypto";
import { harmlessLine } from "../core/diagnostics/harmless-line.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { kubeKinds } from "../kubernetes/kube-kinds.ts";
import type { KubeMeta } from "../kubernetes/kube-object.ts";

/** One line of `kubectl describe release`. */
export interface ClusterNote {
  readonly type: "Normal" | "Warning";
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface ClusterEventOptions {
  readonly api: Pick<KubeApi, "create" | "mergePatch">;
  /** Which controller tells it. */
  readonly instance: string;
  nowMs(): number;
  /** Events are told once and lost where the API server does not take them; this hears of it. */
  onFailure(error: unknown): void;
}

interface Told {
  readonly name: string;
  readonly firstMs: number;
  readonly count: number;
}

interface Budget {
  left: number;
  atMs: number;
  readonly told: Map<string, Told>;
}

/** As many at once, and then one in this time; the API server keeps each for an hour. */
const burst = 12;
const refillMs = 20_000;
/** The same within this time is counted and not told again. */
const sameMs = 600_000;
/** The API server takes no longer one (core/v1 Event). */
const longestMessage = 1_024;

/** Tells the cluster what happens to Releases, as `core/v1` Events, and never floods it. */
export class ClusterEvents {
  readonly #options: ClusterEventOptions;
  readonly #budgets = new Map<string, Budget>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ClusterEventOptions) {
    this.#options = options;
  }

  tell(release: Pick<KubeMeta, "name" | "namespace" | "uid">, note: ClusterNote): void {
    const atMs = this.#options.nowMs();
    const budget = this.#budgetOf(release.uid ?? "", atMs);
    const key = `${note.reason} ${note.message}`;
    const known = budget.told.get(key);
    if (known !== undefined && atMs - known.firstMs < sameMs) {
      const told = { ...known, count: known.count + 1 };
      budget.told.set(key, told);
      // Each doubling says enough of how often it was.
      if ((told.count & (told.count - 1)) === 0) this.#send(() => this.#count(release, told, atMs));
      return;
    }
    if (budget.left < 1) return;
    budget.left -= 1;
    const told = { name: `${release.name.slice(0, 200)}.${randomUUID()}`, firstMs: atMs, count: 1 };
    budget.told.set(key, told);
    this.#send(() => this.#create(release, { note, told }));
  }

  /** The Release is no longer there. */
  forget(uid: string): void {
    this.#budgets.delete(uid);
  }

  /** Resolves when all that was told is sent, or lost. */
  idle(): Promise<void> {
    return this.#last;
  }

  #budgetOf(uid: string, atMs: number): Budget {
    const budget = this.#budgets.get(uid) ?? { left: burst, atMs, told: new Map<string, Told>() };
    const refilled = Math.floor((atMs - budget.atMs) / refillMs);
    if (refilled > 0) {
      budget.left = Math.min(burst, budget.left + refilled);
      budget.atMs += refilled * refillMs;
    }
    for (const [key, { firstMs }] of budget.told) if (atMs - firstMs >= sameMs) budget.told.delete(key);
    this.#budgets.set(uid, budget);
    return budget;
  }

  /** In their order, so that a count follows what it counts. */
  #send(send: () => Promise<unknown>): void {
    this.#last = this.#last.then(send).then(
      () => undefined,
      (error: unknown) => this.#options.onFailure(error),
    );
  }

  #create(
    release: Pick<KubeMeta, "name" | "namespace" | "uid">,
    { note, told }: { readonly note: ClusterNote; readonly told: Told },
  ): Promise<unknown> {
    const { name, namespace, uid } = release;
    const at = toSeconds(told.firstMs);
    return this.#options.api.create(kubeKinds.event, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: told.name, ...(namespace !== undefined && { namespace }) },
      involvedObject: { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", name, namespace, uid },
      type: note.type,
      reason: note.reason,
      message: harmlessLine(note.message, longestMessage),
      source: { component: "kirikae" },
      reportingComponent: "kirikae.dev/controller",
      reportingInstance: this.#options.instance,
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    });
  }

  #count({ namespace }: Pick<KubeMeta, "namespace">, told: Told, atMs: number): Promise<unknown> {
    const patch = { count: told.count, lastTimestamp: toSeconds(atMs) };
    return this.#options.api.mergePatch(kubeKinds.event, { namespace, name: told.name }, { patch });
  }
}

/** `metav1.Time` has no fractions. */
function toSeconds(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/u, "Z");
}
