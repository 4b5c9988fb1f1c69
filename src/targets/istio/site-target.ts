import type { CountersByDestination } from "../../core/release/plan/count-versions.ts";
import type { MovePlan } from "../../core/release/move/move.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { nameRelease } from "../../core/release/move/name-mover.ts";
import { nameDestination } from "../../core/routes/name-destination.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { SubsetEdit } from "../../core/release/subset/subset-edit.ts";
import { splitsOfAddition } from "../../core/routes/add-routes.ts";
import { findWrittenObjects } from "../../core/site/written-objects.ts";
import { splitsOf, weightsOf } from "../../core/routes/weights.ts";
import type { DestinationId, RouteTable, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import type {
  ApplyOptions,
  ApplyReport,
  Clock,
  ObservedSplit,
  PreflightReport,
  ProxyStatus,
  Target,
} from "../../engine/ports.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { carryOutRoutes } from "./carry-out-routes.ts";
import { describeStripped, findStripped, type StrippedRoutes } from "./find-stripped.ts";
import { CounterLedger } from "./counter-ledger.ts";
import { editSubsets } from "./edit-subsets.ts";
import { GatewayReadings } from "./gateway-readings.ts";
import { readControlPlane } from "./control-plane.ts";
import { layAdditions } from "./lay-additions.ts";
import { listServing } from "./listed-strangers.ts";
import { findServices, gatewaysOf, listNeeded } from "./needed-proxies.ts";
import { observeSplits } from "./observe-splits.ts";
import { ownReleases } from "../../core/site/own-route-names.ts";
import type { RouteChange } from "./plan-route-writes.ts";
import { checkGaining, checkPlan } from "./preflight.ts";
import { createProxyAdmin } from "./proxy-admin.ts";
import type { LatencyByDestination } from "./proxy-latency.ts";
import { readCounters, readFigures } from "./proxy-stats.ts";
import { findSilence, renderSiteStatus } from "./render-status.ts";
import { weightEvidence } from "./route-evidence.ts";
import type { IstiodPlace, SiteView } from "./site-view.ts";

export interface SiteTargetOptions {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly reach: PodReach;
  /** Every replica that runs now; asked anew at each proof, because replicas come and go. See `locateIstiods`. */
  readonly istiods: () => Promise<readonly IstiodPlace[]>;
  readonly clock: Clock;
  /** Written into `kirikae.dev/moved-by` where nobody else is named; `kirikae` where it is not given. */
  readonly actor?: () => string;
  /** Whether a release (`namespace/name`) is one of this process, whose routes it may take away. */
  readonly owns?: (release: string) => boolean;
  /** What releases want to be laid, by their states; used until `lay` has said it. */
  readonly additions?: () => readonly OwnedAddition[];
  /** Field managers whose weights may be taken over everywhere, as `--take-over` names them. */
  readonly takeOver?: readonly string[];
  /** Whether rules are written in the namespace of their VirtualService only, and not in delegates elsewhere. */
  readonly isConfined?: boolean;
  /** How long a subset that nobody routes to any more is kept for the requests that are under way; 5 s where it is not given. */
  readonly drainMs?: number;
  /** Told what went wrong without an effect on the answer. */
  readonly onTrouble?: (message: string) => void;
}

/** How long proxies may take to show a preview or a mirror. */
const layTimeoutMs = 60_000;

/** The Istio of one cluster: weights are written to VirtualServices, and proved at the proxies. */
export class SiteTarget implements Target {
  readonly name: string;
  readonly #options: SiteTargetOptions;
  readonly #readings: GatewayReadings;
  /** By rule, the proxies that the last proof of its weights has passed over. */
  readonly #passedOver = new Map<SplitId, readonly string[]>();
  #laid: readonly OwnedAddition[] | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SiteTargetOptions) {
    this.name = options.api.context;
    this.#options = options;
    this.#readings = new GatewayReadings(options);
  }

  /** What kirikae has laid over the routes. */
  get laid(): readonly OwnedAddition[] {
    return this.#laid ?? this.#options.additions?.() ?? [];
  }

  preflight(plan: MovePlan): Promise<PreflightReport> {
    const { laid } = this;
    const releases = this.#ownReleases(laid);
    const change = (takeOver: readonly string[]) => ({ additions: laid, releases, ...this.#signature({ takeOver }) });
    return checkPlan(plan, { ...this.#options, change });
  }

  /** The same for destinations that are to get requests without any weight. */
  checkReady(destinations: readonly DestinationId[]): Promise<PreflightReport> {
    const gaining = destinations.map((id) => ({ id, version: nameDestination(id).subset ?? nameDestination(id).host }));
    return checkGaining(gaining, this.#options);
  }

  /** Never rejects for what the API server, istiod or a proxy says: that is in the report. */
  apply(weights: WeightOverrides, options: ApplyOptions): Promise<ApplyReport> {
    const { clock, view } = this.#options;
    const calledMs = clock.nowMs();
    const table = () => view.table;
    return this.#exclusively(async () => {
      const additions = this.#additionsFor(options);
      const report = await carryOutRoutes(this.#options, {
        calledMs,
        change: { weights, additions, releases: this.#ownReleases(this.laid), ...this.#signature(options) },
        evidence: weightEvidence(weights, table),
        evidenceBefore: weightEvidence(liveWeights(view.table, weights), table),
        services: findServices(view.table, new Set(weights.keys())),
        takesBackUnproved: false,
        apply: options,
      });
      const passedOver = report.kind === "proved" ? (report.passedOver ?? []) : [];
      for (const split of weights.keys()) this.#passedOver.set(split, passedOver);
      return report;
    });
  }

  /**
   * Makes exactly these live beside the weights; nothing is asked where this process has proved them before, and the live
   * objects have them. What somebody has taken out of them is laid again for the release (`namespace/name`) that asks, and
   * left as it is for all others; absent asks for all. A proxy that had refused its routes before keeps what is laid from
   * being written, and what is taken away on a way back from nothing.
   * @throws KirikaeError KIR4041 where they are not live; what was laid before is then
   */
  async lay(
    additions: readonly OwnedAddition[],
    asks?: string,
    { isWayBack }: Pick<ApplyOptions, "isWayBack"> = {},
  ): Promise<void> {
    await this.#exclusively(async () => {
      const stripped = this.#findStripped(additions);
      const own = stripped.filter(({ release }) => asks === undefined || release === asks);
      // They are made of plain values alone.
      if (own.length === 0 && JSON.stringify(this.#laid) === JSON.stringify(additions)) return;
      const leaves = new Set(stripped.filter((each) => !own.includes(each)).map(({ service }) => service));
      for (const name of this.#placesOf(additions.filter(({ release }) => release === asks))) leaves.delete(name);
      const { laid } = this;
      const movedBy = nameLayers(laid, additions);
      const options: ApplyOptions = {
        timeoutMs: layTimeoutMs,
        ...(movedBy !== undefined && { movedBy }),
        ...(isWayBack && { isWayBack }),
      };
      await layAdditions(this.#options, {
        ...this.#signature(options),
        additions,
        laid,
        releases: this.#ownReleases([...laid, ...additions]),
        leaves,
        options,
      });
      this.#laid = additions;
    });
  }

  /** What somebody else has taken out of the live objects of these additions, in words; undefined where all is there. */
  findStripped(additions: readonly OwnedAddition[]): string | undefined {
    return describeStripped(this.#findStripped(additions));
  }

  /** Gives a DestinationRule subsets, proves their clusters at every proxy, and only then takes others away. */
  editSubsets(edit: SubsetEdit, options: ApplyOptions): Promise<ApplyReport> {
    const calledMs = this.#options.clock.nowMs();
    return this.#exclusively(() =>
      editSubsets(this.#options, { edit, options, calledMs, ...this.#signature(options) }),
    );
  }

  observe(splits: readonly SplitId[]): Promise<readonly ObservedSplit[]> {
    const without = new Set(splits.flatMap((split) => [...(this.#passedOver.get(split) ?? [])]));
    return observeSplits(this.#options, { splits, without });
  }

  /** A proxy that cannot be asked, or keeps no counters, makes it a session that says why it does not count. */
  async openLedger(plan: MovePlan): Promise<CounterLedger> {
    const { reach, view, clock } = this.#options;
    const services = findServices(view.table, new Set(plan.changes.map(({ split }) => split)));
    const list = () => listServing(this.#options, services);
    const needed = await list();
    return await CounterLedger.open({
      plan,
      proxies: needed.map((proxy) => ({ proxy, admin: createProxyAdmin(reach, proxy) })),
      list,
      table: () => view.table,
      clock,
    });
  }

  /** Requests and errors by destination since the gateways began; undefined while one of them cannot be counted. */
  stats(): Promise<CountersByDestination | undefined> {
    return this.#readings.read((admin) => readCounters(admin));
  }

  /** What a check judges, of these destinations; undefined while one of the gateways cannot be counted. */
  figures(destinations: ReadonlySet<DestinationId>): Promise<CountersByDestination | undefined> {
    return this.#readings.read((admin) => readFigures(admin, destinations));
  }

  /** How long the answers of the last seconds took, at the slowest gateway; empty where gateways keep no histograms. */
  latencies(): Promise<LatencyByDestination> {
    return this.#readings.latencies();
  }

  /** Tells which processes `stats` has counted last; undefined before it has. */
  processes(): string | undefined {
    return this.#readings.processes;
  }

  /**
   * What every replica of istiod knows of its proxies; gateways that are connected to none are told too.
   * @throws KirikaeError KIR4040 where no proxy is known and not all replicas could be asked
   */
  async status(): Promise<readonly ProxyStatus[]> {
    const { api, istiods, view } = this.#options;
    const need = gatewaysOf(view);
    const [places, needed] = await Promise.all([istiods(), listNeeded(api, need)]);
    const controlPlane = await readControlPlane(places);
    const silence = findSilence(controlPlane);
    const proxies = renderSiteStatus(controlPlane, needed);
    if (silence === undefined || proxies.length > 0) return proxies;
    throw new KirikaeError("KIR4040", `Nobody can tell which proxies there are: ${silence}.`, {
      exitStatus: 3,
      hint: "`kirikae doctor` says how istiod is asked; --istiod names another address of it.",
    });
  }

  #findStripped(additions: readonly OwnedAddition[]): readonly StrippedRoutes[] {
    const { view, isConfined = false } = this.#options;
    return findStripped(view, { additions, isConfined });
  }

  /** The VirtualServices that additions are written in. */
  #placesOf(additions: readonly OwnedAddition[]): readonly string[] {
    const splits = new Set(additions.flatMap(({ addition }) => splitsOfAddition(addition)));
    return findWrittenObjects(this.#options.view.table, splits).map(({ writtenIn }) => writtenIn);
  }

  /** On a way back nothing is laid again that somebody has taken out: it would go with the end of the way back. */
  #additionsFor({ isWayBack }: ApplyOptions): readonly OwnedAddition[] {
    const { laid } = this;
    if (isWayBack !== true) return laid;
    const gone = new Set(this.#findStripped(laid).map(({ release }) => release));
    return laid.filter(({ release }) => !gone.has(release));
  }

  #signature({
    takeOver = [],
    movedBy,
  }: Pick<ApplyOptions, "takeOver" | "movedBy">): Pick<RouteChange, "takeOver" | "movedBy" | "movedAt" | "isConfined"> {
    const { clock, actor, takeOver: always = [], isConfined = false } = this.#options;
    return {
      takeOver: [...always, ...takeOver],
      movedBy: movedBy ?? actor?.() ?? "kirikae",
      movedAt: new Date(clock.nowMs()).toISOString(),
      isConfined,
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

/** The releases whose additions come or go. */
function nameLayers(laid: readonly OwnedAddition[], wanted: readonly OwnedAddition[]): string | undefined {
  const [before, after] = [laid, wanted].map((all) => new Set(all.map((each) => JSON.stringify(each))));
  const changed = [...laid, ...wanted].filter((each) => {
    const text = JSON.stringify(each);
    return before?.has(text) !== after?.has(text);
  });
  const releases = new Set(changed.map(({ release }) => nameRelease(release)));
  return releases.size === 0 ? undefined : [...releases].join(", ");
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
