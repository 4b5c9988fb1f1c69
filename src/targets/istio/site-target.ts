import type { CountersByDestination } from "../../core/release/plan/count-versions.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { splitsOf, weightsOf } from "../../core/routes/weights.ts";
import type { DestinationId, RouteTable, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import type {
  ApplyOptions,
  ApplyReport,
  Clock,
  LedgerSession,
  ObservedSplit,
  PreflightReport,
  ProxyStatus,
  Target,
} from "../../engine/ports.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { ObjectName } from "../../kubernetes/kube-object.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { PodPlace, PodReach } from "../../kubernetes/pod-reach.ts";
import { carryOutRoutes } from "./carry-out-routes.ts";
import { readControlPlane } from "./control-plane.ts";
import { listNeeded } from "./needed-proxies.ts";
import { observeSplits } from "./observe-splits.ts";
import { ownReleases } from "./own-route-names.ts";
import type { RouteChange } from "./plan-route-writes.ts";
import { renderSiteStatus } from "./render-status.ts";
import { weightEvidence } from "./route-evidence.ts";
import type { IstiodPlace, SiteView } from "./site-view.ts";

export interface SiteTargetOptions {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly reach: PodReach;
  /** Every replica that runs now; asked anew at each proof, because replicas come and go. See `locateIstiods`. */
  readonly istiods: () => Promise<readonly IstiodPlace[]>;
  readonly clock: Clock;
  /** Written into `kirikae.dev/moved-by`: the release or the person; `kirikae` where it is not given. */
  readonly actor?: () => string;
  /** Whether a release (`namespace/name`) is one of this process, whose routes it may take away. */
  readonly owns?: (release: string) => boolean;
  /** What releases want to be laid, by their states; used until `lay` has said it. */
  readonly additions?: () => readonly OwnedAddition[];
  /** Field managers whose weights may be taken over everywhere, as `--take-over` names them. */
  readonly takeOver?: readonly string[];
  /** Told what went wrong without an effect on the answer. */
  readonly onTrouble?: (message: string) => void;
}

export interface SubsetEdit {
  readonly destinationRule: PodPlace["pod"];
  /** As in the DestinationRule's `subsets`. */
  readonly add: readonly { readonly name: string; readonly [field: string]: unknown }[];
  /** Names. */
  readonly remove: readonly string[];
  readonly timeoutMs: number;
}

/** The Istio of one cluster: weights are written to VirtualServices, and proved at the proxies. */
export class SiteTarget implements Target {
  readonly name: string;
  readonly #options: SiteTargetOptions;
  #laid: readonly OwnedAddition[] | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SiteTargetOptions) {
    this.name = options.api.context;
    this.#options = options;
  }

  /** What kirikae has laid over the routes. */
  get laid(): readonly OwnedAddition[] {
    return this.#laid ?? this.#options.additions?.() ?? [];
  }

  preflight(_plan: MovePlan): Promise<PreflightReport> {
    throw new Error("under construction");
  }

  checkReady(_destinations: readonly DestinationId[]): Promise<PreflightReport> {
    throw new Error("under construction");
  }

  /** Never rejects for what the API server, istiod or a proxy says: that is in the report. */
  apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const { clock, view } = this.#options;
    const calledMs = clock.nowMs();
    const table = () => view.table;
    return this.#exclusively(() =>
      carryOutRoutes(this.#options, {
        calledMs,
        change: { weights, additions: this.laid, releases: this.#ownReleases(this.laid), ...this.#signature(options) },
        evidence: weightEvidence(weights, table),
        evidenceBefore: weightEvidence(liveWeights(view.table, weights), table),
        splits: new Set(weights.keys()),
        apply: options,
      }),
    );
  }

  /** @throws KirikaeError KIR4041 where they are not live; what was laid before is then. */
  lay(_additions: readonly OwnedAddition[]): Promise<void> {
    throw new Error("under construction");
  }

  editSubsets(_edit: SubsetEdit): Promise<ApplyReport> {
    throw new Error("under construction");
  }

  observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    return observeSplits(this.#options, this.#options.view, splits);
  }

  openLedger(_plan: MovePlan): Promise<LedgerSession> {
    throw new Error("under construction");
  }

  /** Requests and errors by destination since the proxies began; undefined while they cannot be counted. */
  stats(): Promise<CountersByDestination | undefined> {
    throw new Error("under construction");
  }

  /** What a check judges; undefined while it cannot be counted. */
  figures(_destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    throw new Error("under construction");
  }

  /** Tells which processes `stats` has counted; undefined while one cannot be asked. */
  processes(): string | undefined {
    throw new Error("under construction");
  }

  /** What every replica of istiod knows of its proxies; gateways that are connected to none are told too. */
  async status(): Promise<readonly ProxyStatus[]> {
    const { api, istiods, view } = this.#options;
    const gateways = [...view.table.proxies.values()].filter(({ kind }) => kind === "gateway");
    const need = { gateways: gateways.map(({ labels }) => labels), sidecars: undefined };
    const [places, needed] = await Promise.all([istiods(), listNeeded(api, need)]);
    return renderSiteStatus(await readControlPlane(places), needed);
  }

  #signature({ takeOver = [] }: Pick<ApplyOptions, "takeOver">): Pick<RouteChange, "takeOver" | "movedBy" | "movedAt"> {
    const { clock, actor, takeOver: always = [] } = this.#options;
    return {
      takeOver: [...always, ...takeOver],
      movedBy: actor?.() ?? "kirikae",
      movedAt: new Date(clock.nowMs()).toISOString(),
    };
  }

  /** Those whose routes this process may take away: its own, and what it knows of. */
  #ownReleases(additions: readonly OwnedAddition[]): ReadonlySet<string> {
    const { view, owns = () => false } = this.#options;
    const live = view.objects(kubeKinds.virtualService).flatMap((object) => [...ownReleases(object)]);
    return new Set([...additions.map(({ release }) => release), ...live.filter((release) => owns(release))]);
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(work, work);
    // Each caller gets its own error; the next one only waits.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function liveWeights(table: RouteTable, of: WeightOverrides): WeightOverrides {
  const splits = splitsOf(table);
  return new Map(
    [...of.keys()].flatMap((id) => {
      const split = splits.get(id);
      return split === undefined ? [] : [[id, weightsOf(split)] as const];
    }),
  );
}
