import { setTimeout as delay } from "node:timers/promises";
import type { LiveVersion, ReleaseLive, TrafficSample } from "../api/types.ts";
import { compareWeights } from "../core/release/move/compare-weights.ts";
import { releasedServices, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseState } from "../core/release/state/release-state.ts";
import type { DestinationId, SplitId, SplitWeights, WeightOverrides } from "../core/routes/route-table.ts";
import type { StoredRelease } from "../engine/fold-releases.ts";
import type { Clock, Target } from "../engine/ports.ts";
import type { LiveMesh } from "./live-mesh.ts";

/** How long answers took in the last seconds, in milliseconds. */
export type LatencyByDestination = ReadonlyMap<DestinationId, { readonly p50Ms: number; readonly p99Ms: number }>;

export interface LiveParts {
  readonly current: LiveMesh;
  readonly observe: Target["observe"];
  latencies(): Promise<LatencyByDestination>;
  /** The last second of traffic. */
  lastSample(): TrafficSample | undefined;
  readonly clock: Clock;
}

interface Look {
  readonly atMs: number;
  readonly asked: ReadonlySet<SplitId>;
  readonly observed: ReadonlyMap<SplitId, SplitWeights>;
  readonly latencies: LatencyByDestination;
}

/** Proxies are asked for everybody who looks, and for all releases, at most this often. */
const lookEveryMs = 1_000;
/** A proxy that stands still must not make who looks stand still. */
const patienceMs = 1_500;

/** What is live of releases, read from the proxies while somebody looks and never else. */
export class LiveReleases {
  readonly #parts: LiveParts;
  #last: Look | undefined;
  #running: { readonly asked: ReadonlySet<SplitId>; readonly look: Promise<Look> } | undefined;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** By id. What the proxies did not say in time is null. */
  async look(releases: readonly StoredRelease[]): Promise<ReadonlyMap<string, ReleaseLive>> {
    if (releases.length === 0) return new Map();
    const look = await this.#lookAt(new Set(releases.flatMap(({ plan }) => [...splitsOf(plan)])));
    return new Map(releases.map(({ id, plan, state }) => [id, this.#describe(plan, state, look)]));
  }

  async #lookAt(splits: ReadonlySet<SplitId>): Promise<Look> {
    const { clock } = this.#parts;
    if (this.#last !== undefined && isSubset(splits, this.#last.asked) && clock.nowMs() - this.#last.atMs < lookEveryMs)
      return this.#last;
    if (this.#running === undefined || !isSubset(splits, this.#running.asked)) this.#begin(splits);
    const { look } = this.#running ?? { look: Promise.resolve(blind(clock.nowMs())) };
    return await Promise.race([look, this.#giveUp()]);
  }

  #begin(splits: ReadonlySet<SplitId>): void {
    const running = { asked: splits, look: this.#ask(splits) };
    this.#running = running;
    const end = (): void => {
      if (this.#running === running) this.#running = undefined;
    };
    running.look.then(end, end);
  }

  async #ask(splits: ReadonlySet<SplitId>): Promise<Look> {
    const { observe, clock } = this.#parts;
    const [seen, latencies] = await Promise.all([observe([...splits]), this.#parts.latencies()]);
    const observed = new Map(
      seen.flatMap(({ split, weights }) => (weights === undefined ? [] : [[split, weights] as const])),
    );
    this.#last = { atMs: clock.nowMs(), asked: splits, observed, latencies };
    return this.#last;
  }

  async #giveUp(): Promise<Look> {
    await delay(patienceMs, undefined, { ref: false });
    return blind(this.#parts.clock.nowMs());
  }

  #describe(plan: ReleasePlan, state: ReleaseState, look: Look): ReleaseLive {
    const { current } = this.#parts;
    const services = releasedServices(plan);
    const rules = compareWeights({
      table: current.table,
      wanted: new Map([...current.placements(), ...movingNow(plan, state)]),
      observed: look.observed,
      services,
      splits: splitsOf(plan),
    });
    return { atMs: look.atMs, rules, versions: this.#describeVersions(services, look.latencies) };
  }

  #describeVersions(services: ReadonlySet<string>, latencies: LatencyByDestination): readonly LiveVersion[] {
    const { current } = this.#parts;
    const rates = this.#parts.lastSample()?.services ?? [];
    const described = current.services().filter(({ virtualService }) => services.has(virtualService));
    return described.flatMap(({ virtualService, versions }) => {
      const known = rates.find((each) => each.virtualService === virtualService)?.versions ?? [];
      return versions.map(({ name, destinations }) => {
        const rate = known.find((each) => each.name === name);
        return {
          virtualService,
          name,
          requestsPerSecond: rate?.requestsPerSecond ?? 0,
          errorsPerSecond: rate?.errorsPerSecond ?? 0,
          latency: slowest(destinations.flatMap((each) => latencies.get(each) ?? [])),
        };
      });
    });
  }
}

/** While a step moves its weights, those are what is wanted. */
function movingNow({ steps }: ReleasePlan, { phase }: ReleaseState): WeightOverrides {
  const step = phase.kind === "moving" ? steps[phase.step] : undefined;
  if (step === undefined || !("moves" in step)) return new Map();
  return new Map(step.moves.flatMap(({ changes }) => changes.map(({ split, after }) => [split, after] as const)));
}

function splitsOf({ steps }: ReleasePlan): ReadonlySet<SplitId> {
  const moves = steps.flatMap((step) => ("moves" in step ? step.moves : []));
  return new Set(moves.flatMap(({ changes }) => changes.map(({ split }) => split)));
}

/** Quantiles cannot be added up. */
function slowest(all: readonly { readonly p50Ms: number; readonly p99Ms: number }[]): LiveVersion["latency"] {
  if (all.length === 0) return null;
  return { p50Ms: Math.max(...all.map(({ p50Ms }) => p50Ms)), p99Ms: Math.max(...all.map(({ p99Ms }) => p99Ms)) };
}

function isSubset<Member>(some: ReadonlySet<Member>, all: ReadonlySet<Member>): boolean {
  return [...some].every((each) => all.has(each));
}

function blind(atMs: number): Look {
  return { atMs, asked: new Set(), observed: new Map(), latencies: new Map() };
}
