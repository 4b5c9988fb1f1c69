import type { ApiBackend, ProxyStatus, Status } from "../../api/types.ts";
import type { UpEvent } from "../../app-types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { movedServices, type MovePlan, type MoveRequest } from "../../core/release/move/move.ts";
import { releasedServices, type ReleasePlan } from "../../core/release/plan/plan-release.ts";
import type { Engine } from "../../engine/engine.ts";
import { isolateListener } from "../../engine/isolate-listener.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import { CounterLooks } from "../counter-looks.ts";
import { LiveView } from "../live-view.ts";
import { MoveTurns } from "../move-turns.ts";
import { MeshReleases } from "../releases.ts";
import { createStepWatcher, type ProbeWays } from "../step-watch.ts";
import { buildStatus } from "../status.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
import { type Judging, wireReleases } from "../wire-releases.ts";
import { complainPlan } from "./complain-plan.ts";
import { editSubsets } from "./edit-subsets.ts";
import { describeClusterReleases } from "./releases/cluster-release.ts";
import { refuseForeignRelease } from "./releases/foreign-releases.ts";
import { tellOfOthers } from "./many/moved-elsewhere.ts";
import { locateGateways } from "./gateways/gateway-addresses.ts";
import type { MovedPlace, MovedRoutes } from "./mesh/moved-site.ts";

export interface SiteParts extends Judging {
  readonly context: string;
  readonly mesh: MovedRoutes;
  readonly engine: Engine;
  readonly target: MovedPlace;
  /** How long the proxies may take. */
  readonly applyTimeoutMs: number;
  /** Of names in Releases that name none. */
  readonly defaultNamespace: string;
  /** Whether Releases of the cluster keep their rules from being moved from here; a controller carries those out. */
  readonly heedsReleases?: boolean;
  /** How requests reach the gateways. */
  readonly openWays: () => ProbeWays;
  readonly onEvent: (event: UpEvent) => void;
}

/**
 * Routes are written and proved one move after the other. More moves than these would only wait for that, each with what it
 * was planned on, and a way back would wait behind them.
 */
const mostForward = 4;

/** A cluster whose traffic is moved: what the API asks, what its objects say, and what the clock brings. */
export class SiteRuntime implements ApiBackend {
  readonly #parts: SiteParts;
  readonly #view: LiveView;
  readonly #turns: MoveTurns;
  readonly #looks: CounterLooks;
  readonly releases: MeshReleases;
  #proxies: readonly ProxyStatus[] = [];
  /** What stands in the way of what is shown, such as an API server that does not answer. */
  #troubles: readonly string[] = [];
  /** Why nothing is known of the proxies. */
  #silence: readonly string[] = [];

  constructor(parts: SiteParts) {
    this.#parts = parts;
    const { mesh, engine, target, defaultNamespace } = parts;
    const onEvent = isolateListener<UpEvent>((event) => parts.onEvent(event));
    this.#view = new LiveView(warnOfDefect(onEvent, "telling a listener of live events"));
    this.#turns = new MoveTurns({
      current: mesh,
      engine,
      view: this.#view,
      onEvent,
      onFinished: () => this.publishStatus(),
    });
    this.#looks = new CounterLooks({
      stats: () => target.stats(),
      processes: () => target.processes(),
      onReading: (reading) => this.releases.addReading(reading),
      nowMs: () => Date.now(),
    });
    this.releases = new MeshReleases({
      ...wireReleases({
        mesh: { current: mesh, engine, models: { defaultNamespace } },
        target,
        turns: this.#turns,
        view: this.#view,
        looks: this.#looks,
        judging: parts,
        onEvent,
      }),
      lay: (build, asks, options) => this.#turns.lay(() => target.lay(build(), asks, options)),
      findStripped: (additions) => target.findStripped(additions),
      editSubsets: (build, onWait) =>
        this.#turns.lay(() => editSubsets(build(), { target, timeoutMs: parts.applyTimeoutMs, onWait })),
      checkPlan: (plan) => this.#checkPlan(plan),
      watcher: createStepWatcher({ current: mesh, openWays: parts.openWays, confirms: true }),
      readyEndpoints: (ids) => mesh.countEndpoints(ids),
      mostForward,
    });
  }

  /** Looks at the counters of the gateways for releases; resolves soon in any case. */
  async lookSoon(): Promise<void> {
    // A look counts where the processes that answer are known, and only the one before it says which they are.
    if (this.#parts.target.processes() === undefined) await this.#looks.lookSoon();
    await this.#looks.lookSoon();
  }

  /** With what the proxies said last; `askProxies` asks them. */
  status(): Status {
    const { mesh, target } = this.#parts;
    const gateways = locateGateways(mesh);
    const status = buildStatus({
      table: mesh.table,
      ports: new Map(),
      listenAddress: "",
      services: mesh.services(),
      proxies: this.#proxies,
      workloads: [],
      lastSample: this.#view.samples.at(-1),
      inbound: [],
      callers: [],
      refusedManifests: [],
      additions: target.laid,
      endpoints: () => [],
      unready: mesh.createUnreadyCount(),
    });
    return {
      ...status,
      gateways: status.gateways.map((gateway) => ({ ...gateway, address: gateways(gateway) })),
      clusterReleases: describeClusterReleases(mesh.objects(kubeKinds.release), this.#parts.context),
      site: { context: this.#parts.context, troubles: [...this.#troubles, ...this.#silence] },
    };
  }

  /** Asks istiod which proxies there are, and what they were sent; where it cannot be asked, `status` says why. */
  async askProxies(): Promise<void> {
    try {
      this.#proxies = await this.#parts.target.status();
      this.#silence = [];
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      this.#proxies = [];
      this.#silence = [`The proxies are not known: ${error.message}`];
    }
  }

  caller(name: string): never {
    throw new KirikaeError("KIR5061", `What ${name} sends starts in the cluster ${this.#parts.context}, not here.`, {
      exitStatus: 2,
      hint: `\`kirikae --context ${this.#parts.context} explain --from ${name} --url URL\` says where a request of it goes.`,
      details: { known: [] },
    });
  }

  plan(request: MoveRequest): MovePlan {
    const { mesh } = this.#parts;
    const plan = this.#planOnLive(request);
    this.releases.checkFree(plan);
    if (this.#parts.heedsReleases === true) refuseForeignRelease(mesh, movedServices(plan));
    return plan;
  }

  #checkPlan(plan: ReleasePlan): void {
    const complaint = complainPlan(plan);
    if (complaint !== undefined) throw complaint;
    if (this.#parts.heedsReleases === true) refuseForeignRelease(this.#parts.mesh, [...releasedServices(plan)]);
  }

  #planOnLive(request: MoveRequest): MovePlan {
    const { mesh, engine } = this.#parts;
    try {
      return mesh.plan(request, engine.pastMoves());
    } catch (error) {
      throw error instanceof KirikaeError ? tellOfOthers(error, { mesh, request }) : error;
    }
  }

  move(request: MoveRequest, onProgress: Parameters<ApiBackend["move"]>[1]): ReturnType<ApiBackend["move"]> {
    return this.#turns.move(() => this.plan(request), onProgress);
  }

  history(name: string | undefined): ReturnType<ApiBackend["history"]> {
    return this.#parts.engine.history(name);
  }

  timeline(name: string | undefined): ReturnType<ApiBackend["timeline"]> {
    return this.#parts.engine.timeline(name);
  }

  recentSamples(): ReturnType<ApiBackend["recentSamples"]> {
    return this.#view.samples;
  }

  subscribe(listener: Parameters<ApiBackend["subscribe"]>[0]): Disposable {
    return this.#view.subscribe(listener);
  }

  /** Takes what somebody has changed in the cluster. */
  takeChanges(): void {
    if (this.#parts.mesh.refresh()) this.releases.checkWeights();
    this.publishStatus();
  }

  /** Says what stands in the way of seeing the cluster as it is; none says that nothing does. */
  tellTroubles(troubles: readonly string[]): void {
    if (troubles.length === this.#troubles.length && troubles.every((each, at) => each === this.#troubles[at])) return;
    this.#troubles = troubles;
    this.publishStatus();
  }

  /** Reads the counters of the proxies once. */
  async sample(): Promise<void> {
    const { mesh } = this.#parts;
    const reading = await this.#looks.read();
    // The graph shows the gap.
    if (reading === undefined) return;
    this.#view.showTraffic(reading, (destinations) => mesh.servicesOf(destinations));
  }

  publishStatus(): void {
    this.#view.showStatus(() => this.status());
  }

  /** Begins no further step of any release; resolves when no move is under way. */
  async idle(): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    await this.#turns.idle();
  }
}
