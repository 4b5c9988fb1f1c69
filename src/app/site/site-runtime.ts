import { summarizeRelease } from "../../api/summarize-release.ts";
import type { ApiBackend, MoveProgress, MoveResult, ProxyStatus, Status } from "../../api/types.ts";
import type { UpEvent } from "../../app-types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { movedServices, type MovePlan, type MoveRequest } from "../../core/release/move/move.ts";
import { releasedServices, type ReleasePlan } from "../../core/release/plan/plan-release.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { Engine } from "../../engine/engine.ts";
import { isolateListener } from "../../engine/isolate-listener.ts";
import type { AskJudge } from "../../engine/ports.ts";
import { type NotifierOptions, ReleaseNotifier } from "../../notify/release-notifier.ts";
import { warnOfDefect } from "../background-work.ts";
import { CheckLooks } from "../check-looks.ts";
import { CounterLooks } from "../counter-looks.ts";
import { endBrokenMoves } from "../end-broken-moves.ts";
import { findAccount } from "../find-account.ts";
import { LiveFeed } from "../live-feed.ts";
import { MeshReleases } from "../releases.ts";
import { SerialWork } from "../serial-work.ts";
import { createStepWatcher, type ProbeWays } from "../step-watch.ts";
import { buildStatus } from "../status.ts";
import { TrafficHistory } from "../traffic-history.ts";
import { complainPlan } from "./complain-plan.ts";
import { editSubsets } from "./edit-subsets.ts";
import { refuseForeignRelease } from "./releases/foreign-releases.ts";
import { tellOfOthers } from "./many/moved-elsewhere.ts";
import { locateGateways } from "./gateways/gateway-addresses.ts";
import type { MovedPlace, MovedRoutes } from "./mesh/moved-site.ts";

export interface SiteParts {
  readonly context: string;
  readonly mesh: MovedRoutes;
  readonly engine: Engine;
  readonly target: MovedPlace;
  /** How long the proxies may take. */
  readonly applyTimeoutMs: number;
  /** Of names in Releases that name none. */
  readonly defaultNamespace: string;
  readonly ask: AskJudge;
  readonly allowsCommands: boolean;
  /** Whether Releases of the cluster keep their rules from being moved from here; a controller carries those out. */
  readonly heedsReleases?: boolean;
  /** How requests reach the gateways. */
  readonly openWays: () => ProbeWays;
  /** Reads a secret that a Release names. */
  readonly readSecret: NotifierOptions["readSecret"];
  readonly onEvent: (event: UpEvent) => void;
}

/** A cluster whose traffic is moved: what the API asks, what its objects say, and what the clock brings. */
export class SiteRuntime implements ApiBackend {
  readonly #parts: SiteParts;
  readonly #tell: (event: UpEvent) => void;
  readonly #feed: LiveFeed;
  readonly #work = new SerialWork();
  readonly #lays = new SerialWork();
  readonly #traffic = new TrafficHistory();
  readonly #looks: CounterLooks;
  readonly #checkLooks: CheckLooks;
  readonly releases: MeshReleases;
  #proxies: readonly ProxyStatus[] = [];
  /** What stands in the way of what is shown, such as an API server that does not answer. */
  #troubles: readonly string[] = [];
  /** Why nothing is known of the proxies. */
  #silence: readonly string[] = [];

  constructor(parts: SiteParts) {
    this.#parts = parts;
    const { mesh, engine, target } = parts;
    this.#tell = isolateListener((event) => parts.onEvent(event));
    this.#feed = new LiveFeed(warnOfDefect(this.#tell, "telling a listener of live events"));
    this.#looks = new CounterLooks({
      stats: () => target.stats(),
      processes: () => target.processes(),
      onReading: (reading) => this.releases.addReading(reading),
      nowMs: () => Date.now(),
    });
    this.#checkLooks = new CheckLooks({
      read: (destinations) => target.figures(destinations),
      table: () => mesh.table,
    });
    this.releases = new MeshReleases({
      mesh: { current: mesh, engine, models: { defaultNamespace: parts.defaultNamespace } },
      move: (build, onWait) =>
        this.#inTurn(async () => {
          const plan = build();
          if (plan === undefined) return undefined;
          return await this.#carryOut(plan, (progress) => {
            if (progress.kind === "waiting") onWait?.(progress.text);
          });
        }),
      editSubsets: (build, onWait) =>
        this.#inTurn(() =>
          this.#lays.exclusive(() => editSubsets(build(), { target, timeoutMs: parts.applyTimeoutMs, onWait })),
        ),
      lay: (build) => this.#lay(build),
      sources: { counters: (destinations) => this.#checkLooks.look(destinations), ask: parts.ask },
      allowsCommands: parts.allowsCommands,
      account: findAccount(),
      notifier: new ReleaseNotifier({
        print: (line) => this.#tell({ kind: "notice", line }),
        warn: (message) => this.#tell({ kind: "warning", message }),
        readSecret: parts.readSecret,
      }),
      look: () => this.#looks.lookSoon(),
      checkPlan: (plan) => this.#checkPlan(plan),
      watcher: createStepWatcher({ current: mesh, openWays: parts.openWays, confirms: true }),
      readyEndpoints: (ids) => mesh.countEndpoints(ids),
      live: {
        observe: (splits) => target.observe(splits),
        latencies: () => target.latencies(),
        lastSample: () => this.#traffic.samples.at(-1),
      },
      onChange: (release) => this.#feed.publish({ event: "release", release: summarizeRelease(release) }),
      onDefect: warnOfDefect(this.#tell, "a release"),
    });
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
      lastSample: this.#traffic.samples.at(-1),
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

  async move(request: MoveRequest, onProgress: Parameters<ApiBackend["move"]>[1]): Promise<MoveResult> {
    return this.#inTurn(async () => await this.#carryOut(this.plan(request), onProgress));
  }

  /** Beside moves, which it takes no weight from; one at a time. */
  async #lay(build: () => readonly OwnedAddition[]): Promise<void> {
    const { target } = this.#parts;
    await this.#inTurn(() => this.#lays.exclusive(() => target.lay(build())));
  }

  /** A move is planned when its turn has come: somebody may have edited an object meanwhile. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const { engine, mesh } = this.#parts;
    return this.#work.shared(async () => {
      await endBrokenMoves({ current: mesh, engine, onEvent: (event) => this.#tell(event) });
      return await work();
    });
  }

  async #carryOut(plan: MovePlan, onProgress: (progress: MoveProgress) => void = () => {}): Promise<MoveResult> {
    const report = isolateListener(onProgress, warnOfDefect(this.#tell, "telling the caller how its move goes on"));
    const { virtualService } = plan;
    return await this.#parts.engine.move(plan, (progress) => {
      report(progress);
      this.#tell({ kind: "move", virtualService, progress });
      this.#feed.publish({ event: "move", virtualService, atMs: Date.now(), progress });
      if (progress.kind === "finished") this.publishStatus();
    });
  }

  history(name: string | undefined): ReturnType<ApiBackend["history"]> {
    return this.#parts.engine.history(name);
  }

  timeline(name: string | undefined): ReturnType<ApiBackend["timeline"]> {
    return this.#parts.engine.timeline(name);
  }

  recentSamples(): ReturnType<ApiBackend["recentSamples"]> {
    return this.#traffic.samples;
  }

  subscribe(listener: Parameters<ApiBackend["subscribe"]>[0]): Disposable {
    return this.#feed.subscribe(listener);
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
    const askedMs = Date.now();
    const counters = await this.#looks.look();
    // The graph shows the gap.
    if (counters === undefined) return;
    const atMs = Math.round((askedMs + Date.now()) / 2);
    const sample = this.#traffic.add({ atMs, counters }, (destinations) => mesh.servicesOf(destinations));
    if (sample !== undefined) this.#feed.publish({ event: "sample", sample });
  }

  publishStatus(): void {
    const build = (): Status => this.status();
    this.#feed.publish({
      event: "status",
      // Thousands of services are put together only when somebody looks.
      get status() {
        return build();
      },
    });
  }

  /** Begins no further step of any release; resolves when no move is under way. */
  async idle(): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    await this.#work.idle();
  }
}
