import type { ApiBackend, MoveProgress, MoveResult, Status } from "../api/types.ts";
import { summarizeRelease } from "../api/summarize-release.ts";
import type { UpEvent } from "../app-types.ts";
import type { MovePlan, MoveRequest } from "../core/release/move/move.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import type { AskJudge } from "../engine/ports.ts";
import { isolateListener } from "../engine/isolate-listener.ts";
import type { ManifestSet } from "../local/manifest-folder.ts";
import { type NotifierOptions, ReleaseNotifier } from "../notify/release-notifier.ts";
import type { InboundReading } from "../targets/local-envoy/inbound-stats.ts";
import { applyManifests, type ManifestApplier } from "./apply-manifests.ts";
import { warnOfDefect } from "./background-work.ts";
import { type CallerParts, findCaller, listCallers } from "./callers.ts";
import { endBrokenMoves } from "./end-broken-moves.ts";
import { hasInbound, listInbound } from "./inbound-status.ts";
import { isLaid, layAdditions } from "./lay-additions.ts";
import { CheckLooks } from "./check-looks.ts";
import { CounterLooks } from "./counter-looks.ts";
import { LiveFeed } from "./live-feed.ts";
import { ProofTimes } from "./proof-times.ts";
import { findAccount } from "./find-account.ts";
import { MeshReleases } from "./releases.ts";
import { countReadyEndpoints } from "./ready-endpoints.ts";
import { createStepWatcher, findLocalWays } from "./step-watch.ts";
import { SerialWork } from "./serial-work.ts";
import { buildStatus } from "./status.ts";
import { TrafficHistory } from "./traffic-history.ts";

/** Who is asked about versions beside the proxies. */
interface Judging {
  readonly ask: AskJudge;
  /** Whether releases may run programs. */
  readonly allowsCommands: boolean;
  /** Reads a secret that a Release names. */
  readonly readSecret: NotifierOptions["readSecret"];
}

/** A mesh that runs: what the API asks, what the folder says, and what the clock brings. */
export class MeshRuntime implements ApiBackend {
  readonly #parts: ManifestApplier;
  readonly #tell: (event: UpEvent) => void;
  readonly #feed: LiveFeed;
  readonly #work = new SerialWork();
  readonly #lays = new SerialWork();
  readonly #traffic = new TrafficHistory();
  readonly #proofTimes = new ProofTimes();
  readonly #looks: CounterLooks;
  readonly #checkLooks: CheckLooks;
  readonly releases: MeshReleases;
  #refusedManifests: readonly string[] = [];
  #inbound: InboundReading = { counters: new Map(), latencies: new Map() };

  constructor(parts: ManifestApplier, { ask, allowsCommands, readSecret }: Judging) {
    this.#parts = parts;
    this.#tell = isolateListener((event) => parts.onEvent(event));
    this.#feed = new LiveFeed(warnOfDefect(this.#tell, "telling a listener of live events"));
    this.#looks = new CounterLooks({
      stats: () => parts.target.stats(),
      processes: () => parts.envoyPid()?.toString(),
      onReading: (reading) => this.releases.addReading(reading),
      nowMs: () => Date.now(),
    });
    this.#checkLooks = new CheckLooks({
      read: (destinations) => parts.target.figures(destinations),
      table: () => parts.current.table,
    });
    this.releases = new MeshReleases({
      mesh: parts,
      move: (build, onWait) =>
        this.#inTurn(async () => {
          const plan = build();
          if (plan === undefined) return undefined;
          return await this.#carryOut(plan, (progress) => {
            if (progress.kind === "waiting") onWait?.(progress.text);
          });
        }),
      lay: (build) => this.#lay(build),
      sources: {
        counters: (destinations) => this.#checkLooks.look(destinations),
        comparedAnswers: ({ release }) => parts.mirrors.differences(release),
        ask,
      },
      allowsCommands,
      account: findAccount(),
      notifier: new ReleaseNotifier({
        print: (line) => this.#tell({ kind: "notice", line }),
        warn: (message) => this.#tell({ kind: "warning", message }),
        readSecret,
      }),
      look: () => this.#looks.lookSoon(),
      mirror: (release) => parts.mirrors.report(release),
      watcher: createStepWatcher({
        current: parts.current,
        mirrors: parts.mirrors,
        openWays: () => findLocalWays(parts),
      }),
      readyEndpoints: (ids) => countReadyEndpoints(parts.current.table, ids, (name) => parts.workloads.endpoints(name)),
      live: {
        observe: (splits) => parts.target.observe(splits),
        latencies: () => parts.target.latencies(),
        lastSample: () => this.#traffic.samples.at(-1),
      },
      onChange: (release) => this.#feed.publish({ event: "release", release: summarizeRelease(release) }),
      onDefect: warnOfDefect(this.#tell, "a release"),
    });
  }

  status(): Status {
    const { current, target, workloads, listenAddress } = this.#parts;
    return buildStatus({
      table: current.table,
      ports: current.ports,
      listenAddress,
      services: current.services(),
      proxies: target.status(),
      workloads: workloads.status(),
      lastSample: this.#traffic.samples.at(-1),
      inbound: listInbound(current.table, this.#inbound),
      callers: listCallers(this.#callerParts()),
      refusedManifests: this.#refusedManifests,
      additions: current.laid,
      endpoints: (name) => workloads.endpoints(name),
    });
  }

  caller(name: string, target: Parameters<ApiBackend["caller"]>[1]): ReturnType<ApiBackend["caller"]> {
    return findCaller(this.#callerParts(), name, target);
  }

  #callerParts(): CallerParts {
    const { current, workloads, listenAddress } = this.#parts;
    return { ...current.model, ports: current.ports, listenAddress, endpoints: (name) => workloads.endpoints(name) };
  }

  plan(request: MoveRequest): ReturnType<ApiBackend["plan"]> {
    const plan = this.#parts.current.plan(request);
    this.releases.checkFree(plan);
    return plan;
  }

  async move(request: MoveRequest, onProgress: Parameters<ApiBackend["move"]>[1]): ReturnType<ApiBackend["move"]> {
    return this.#inTurn(async () => {
      return await this.#carryOut(this.plan(request), onProgress);
    });
  }

  /** Beside moves, which it takes no weight from, so that a release does not wait for all others; one at a time. */
  async #lay(build: () => readonly OwnedAddition[]): Promise<void> {
    if (isLaid(this.#parts, build())) return;
    await this.#inTurn(() => this.#lays.exclusive(() => layAdditions(this.#parts, build())));
  }

  /** A move is planned when its turn has come: a manifest that was saved meanwhile would make an older plan untrue. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#work.shared(async () => {
      await endBrokenMoves(this.#parts);
      return await work();
    });
  }

  async #carryOut(plan: MovePlan, onProgress: (progress: MoveProgress) => void = () => {}): Promise<MoveResult> {
    const report = isolateListener(onProgress, warnOfDefect(this.#tell, "telling the caller how its move goes on"));
    using proofTime = this.#proofTimes.open();
    const { virtualService } = plan;
    return await this.#parts.engine.move(plan, (progress) => {
      proofTime.isUnderWay = progress.kind === "applying";
      report(progress);
      this.#tell({ kind: "move", virtualService, progress });
      this.#feed.publish({ event: "move", virtualService, atMs: Date.now(), progress });
      if (progress.kind === "finished") this.publishStatus();
    });
  }

  /** Looks at the counters of the proxies for releases; resolves soon in any case. */
  async lookSoon(): Promise<void> {
    await this.#looks.lookSoon();
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

  /** Makes saved manifests live, after the moves that run. */
  async apply(manifests: ManifestSet): Promise<void> {
    await this.#work.exclusive(async () => {
      const { releases } = this;
      this.#refusedManifests = await applyManifests(this.#parts, manifests, () => releases.additions());
      this.releases.checkWeights();
    });
    this.publishStatus();
  }

  /** Reads the counters of the proxies once. */
  async sample(): Promise<void> {
    const { current, target } = this.#parts;
    await this.#proofTimes.over();
    const askedMs = Date.now();
    const counters = await this.#looks.look();
    // The graph shows the gap.
    if (counters === undefined) return;
    if (hasInbound(current.table)) this.#inbound = await target.inbound();
    // The answer may have waited, for the proxy or for this process, so its arrival is not when it was true.
    const atMs = Math.round((askedMs + Date.now()) / 2);
    await this.#proofTimes.over();
    const sample = this.#traffic.add({ atMs, counters }, (destinations) => current.servicesOf(destinations));
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

  /** Begins no further step of any release; resolves when no move and no manifest is under way. */
  async idle(): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    await this.#work.idle();
  }
}
