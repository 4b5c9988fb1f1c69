import type { CountersByDestination } from "../../core/release/plan/count-versions.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { DestinationId, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
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
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import type { IstiodPlace, SiteView } from "./site-view.ts";

export interface SiteTargetOptions {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly reach: PodReach;
  /** Every replica that runs now; asked anew at each proof, because replicas come and go. See `locateIstiods`. */
  readonly istiods: () => Promise<readonly IstiodPlace[]>;
  readonly clock: Clock;
  /** Written into `kirikae.dev/moved-by`: the release or the person. */
  readonly actor?: () => string;
  /** What releases want to be laid, by their states; used until `lay` has said it. */
  readonly additions?: () => readonly OwnedAddition[];
  /** Field managers whose weights may be taken over everywhere, as `--take-over` names them. */
  readonly takeOver?: readonly string[];
  /** Told what went wrong without an effect on the answer. */
  readonly onTrouble?: (message: string) => void;
}

export interface SubsetEdit {
  readonly destinationRule: Required<ObjectName>;
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

  constructor(options: SiteTargetOptions) {
    this.name = options.api.context;
    this.#options = options;
  }

  /** What kirikae has laid over the routes. */
  get laid(): readonly OwnedAddition[] {
    return this.#options.additions?.() ?? [];
  }

  preflight(_plan: MovePlan): Promise<PreflightReport> {
    throw new Error("under construction");
  }

  checkReady(_destinations: readonly DestinationId[]): Promise<PreflightReport> {
    throw new Error("under construction");
  }

  apply(_weights: WeightOverrides, _options: ApplyOptions): Promise<ApplyReport> {
    throw new Error("under construction");
  }

  /** @throws KirikaeError KIR4041 where they are not live; what was laid before is then. */
  lay(_additions: readonly OwnedAddition[]): Promise<void> {
    throw new Error("under construction");
  }

  editSubsets(_edit: SubsetEdit): Promise<ApplyReport> {
    throw new Error("under construction");
  }

  observe(_splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    throw new Error("under construction");
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

  status(): Promise<readonly ProxyStatus[]> {
    throw new Error("under construction");
  }
}
