import type { ApiBackend, Status } from "../../api/types.ts";
import type { UpEvent } from "../../app-types.ts";
import type { MoveRequest } from "../../core/release/move/move.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { isolateListener } from "../../engine/isolate-listener.ts";
import type { ManifestSet } from "../../local/manifest-folder.ts";
import type { InboundReading } from "../../targets/local-envoy/inbound-stats.ts";
import { applyManifests, type ManifestApplier } from "./apply-manifests.ts";
import { findLocalWays } from "./find-local-ways.ts";
import { type CallerParts, findCaller, listCallers } from "./callers.ts";
import { hasInbound, listInbound } from "./inbound-status.ts";
import { isLaid, layAdditions } from "./lay-additions.ts";
import { CounterLooks } from "../counter-looks.ts";
import { LiveView } from "../live-view.ts";
import { MoveTurns } from "../move-turns.ts";
import { MeshReleases } from "../releases.ts";
import { countReadyEndpoints } from "./ready-endpoints.ts";
import { createStepWatcher } from "../step-watch.ts";
import { buildStatus } from "../status.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
import { type Judging, wireReleases } from "../wire-releases.ts";

/** A mesh that runs: what the API asks, what the folder says, and what the clock brings. */
export class MeshRuntime implements ApiBackend {
  readonly #parts: ManifestApplier;
  readonly #view: LiveView;
  readonly #turns: MoveTurns;
  readonly #looks: CounterLooks;
  readonly releases: MeshReleases;
  #refusedManifests: readonly string[] = [];
  #inbound: InboundReading = { counters: new Map(), latencies: new Map() };

  constructor(parts: ManifestApplier, judging: Judging) {
    this.#parts = parts;
    const { current, engine, target, workloads, mirrors } = parts;
    const onEvent = isolateListener<UpEvent>((event) => parts.onEvent(event));
    this.#view = new LiveView(warnOfDefect(onEvent, "telling a listener of live events"));
    this.#turns = new MoveTurns({ current, engine, view: this.#view, onEvent, onFinished: () => this.publishStatus() });
    this.#looks = new CounterLooks({
      stats: () => target.stats(),
      processes: () => parts.envoyPid()?.toString(),
      onReading: (reading) => this.releases.addReading(reading),
      nowMs: () => Date.now(),
    });
    const wired = wireReleases({
      mesh: parts,
      target,
      turns: this.#turns,
      view: this.#view,
      looks: this.#looks,
      judging,
      onEvent,
    });
    this.releases = new MeshReleases({
      ...wired,
      lay: (build) => this.#lay(build),
      sources: { ...wired.sources, comparedAnswers: ({ release }) => mirrors.differences(release) },
      mirror: (release) => mirrors.report(release),
      watcher: createStepWatcher({ current, mirrors, openWays: () => findLocalWays(parts) }),
      readyEndpoints: (ids) => countReadyEndpoints(current.table, ids, (name) => workloads.endpoints(name)),
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
      lastSample: this.#view.samples.at(-1),
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

  move(request: MoveRequest, onProgress: Parameters<ApiBackend["move"]>[1]): ReturnType<ApiBackend["move"]> {
    return this.#turns.move(() => this.plan(request), onProgress);
  }

  async #lay(build: () => readonly OwnedAddition[]): Promise<void> {
    if (isLaid(this.#parts, build())) return;
    await this.#turns.lay(() => layAdditions(this.#parts, build()));
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
    return this.#view.samples;
  }

  subscribe(listener: Parameters<ApiBackend["subscribe"]>[0]): Disposable {
    return this.#view.subscribe(listener);
  }

  /** Makes saved manifests live, after the moves that run. */
  async apply(manifests: ManifestSet): Promise<void> {
    await this.#turns.alone(async () => {
      const { releases } = this;
      this.#refusedManifests = await applyManifests(this.#parts, manifests, () => releases.additions());
      this.releases.checkWeights();
    });
    this.publishStatus();
  }

  /** Reads the counters of the proxies once; what can wait, waits for moves to be proved. */
  async sample(): Promise<void> {
    const { current, target } = this.#parts;
    await this.#turns.untilProved();
    const reading = await this.#looks.read();
    // The graph shows the gap.
    if (reading === undefined) return;
    if (hasInbound(current.table)) this.#inbound = await target.inbound();
    await this.#turns.untilProved();
    this.#view.showTraffic(reading, (destinations) => current.servicesOf(destinations));
  }

  publishStatus(): void {
    this.#view.showStatus(() => this.status());
  }

  /** Begins no further step of any release; resolves when no move and no manifest is under way. */
  async idle(): Promise<void> {
    await this.releases[Symbol.asyncDispose]();
    await this.#turns.idle();
  }
}
