import type { ReleaseBackend, ReleaseLive, ReleaseOrder, ReleaseSource, ReleaseStatus } from "../api/types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { renderPosition } from "../core/diagnostics/position.ts";
import type { ReleaseManifest } from "../core/manifest/manifest.ts";
import { parseManifests } from "../core/manifest/parse-manifests.ts";
import { advanceRelease } from "../core/release/state/advance-release.ts";
import { chooseRelease } from "../core/release/plan/choose-release.ts";
import { findCommands } from "../core/release/plan/find-commands.ts";
import type { ReleaseTurn } from "../core/release/describe/find-notices.ts";
import { describeRelease } from "../core/release/describe/describe-release.ts";
import { movedServices, type MovePlan } from "../core/release/move/move.ts";
import { foreseeCommands, type ReleaseChoice } from "../core/release/describe/foresee-commands.ts";
import { planRelease, releasedServices, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import { describePhase } from "../core/release/state/release-phase.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import type { MirrorReport } from "../core/release/mirror/mirror-report.ts";
import type { ReleaseReport } from "../core/release/report/release-report.ts";
import type { StoredRelease } from "../engine/fold-releases.ts";
import { reportRelease } from "../engine/report-release.ts";
import type { CheckSources } from "../engine/release-check.ts";
import { createSystemClock } from "../engine/clock.ts";
import { completeEvent } from "../engine/complete-event.ts";
import type { Engine } from "../engine/engine.ts";
import { isolateListener } from "../engine/isolate-listener.ts";
import type { ReleaseChange } from "../engine/release-events.ts";
import type { ReleaseHost } from "../engine/release-ports.ts";
import { ReleaseRunner } from "../engine/release-runner.ts";
import type { ReleaseNotifier } from "../notify/release-notifier.ts";
import type { CounterReading } from "../engine/traffic-meter.ts";
import { createReleaseMoves } from "./release-moves.ts";
import { wakeAt } from "./wake-at.ts";
import { LiveReleases, type LiveParts } from "./live-releases.ts";
import type { LiveMesh } from "./live-mesh.ts";

export interface ReleaseParts {
  readonly mesh: {
    readonly current: LiveMesh;
    readonly engine: Engine;
    /** The namespace of names in Releases that name none. */
    readonly models: { readonly defaultNamespace: string };
  };
  readonly move: ReleaseHost["move"];
  readonly lay: ReleaseHost["lay"];
  /** Absent where nobody else writes what is laid. */
  readonly findStripped?: NonNullable<ReleaseHost["findStripped"]>;
  /** Absent where there are no DestinationRules to write. */
  readonly editSubsets?: NonNullable<ReleaseHost["editSubsets"]>;
  readonly sources: CheckSources;
  /** Whether releases may run programs as judges; absent is no. */
  readonly allowsCommands?: boolean;
  /** Throws for what cannot be done where these routes are. */
  readonly checkPlan?: (plan: ReleasePlan) => void;
  readonly readyEndpoints: ReleaseHost["readyEndpoints"];
  /** How many releases move weights forward at the same time; absent is all of them. */
  readonly mostForward?: number;
  readonly look?: NonNullable<ReleaseHost["look"]>;
  /** What the copies of a release have shown so far that still copies. */
  readonly mirror?: (release: string) => MirrorReport | undefined;
  readonly watcher?: NonNullable<ReleaseHost["watcher"]>;
  /** The account of the system that this runs as. */
  readonly account?: string | undefined;
  /** Tells outsiders what happens; absent tells nobody. */
  readonly notifier?: Pick<ReleaseNotifier, "tell"> & AsyncDisposable;
  readonly live: Pick<LiveParts, "observe" | "latencies" | "lastSample">;
  onChange(release: ReleaseStatus): void;
  onDefect(error: unknown): void;
}

/** The releases of a mesh that runs. Disposing it begins no further step, and waits for the one under way. */
export class MeshReleases implements ReleaseBackend, AsyncDisposable {
  readonly #parts: ReleaseParts;
  readonly #runner: ReleaseRunner;
  readonly #live: LiveReleases;

  constructor(parts: ReleaseParts) {
    this.#parts = parts;
    this.#live = new LiveReleases({
      current: parts.mesh.current,
      clock: createSystemClock(),
      ...parts.live,
    });
    const notify = isolateListener<ReleaseTurn>(
      (turn) => parts.notifier?.tell(turn),
      (error) => parts.onDefect(error),
    );
    this.#runner = new ReleaseRunner({
      journal: parts.mesh.engine,
      host: {
        ...createReleaseHost(parts),
        ...(parts.look !== undefined && { look: parts.look }),
        ...(parts.watcher !== undefined && { watcher: parts.watcher }),
      },
      clock: createSystemClock(),
      account: parts.account,
      wakeAt,
      onChange: (release, change) => {
        notify(turnOf(release, change));
        parts.onChange(this.#describe(release));
      },
      onWait: (release) => parts.onChange(this.#describe(release)),
      onDefect: (error) => parts.onDefect(error),
    });
  }

  /** Counts what the versions of all releases answer; call it with every look at the proxies' counters. */
  addReading(reading: CounterReading): void {
    this.#runner.addReading(reading);
  }

  /** Takes up what an earlier process left: all of it, or the release of that id alone. */
  resume(only?: string): void {
    this.#runner.resume(only);
  }

  /** Stops releases whose weights somebody else has changed. Call it when saved manifests are live. */
  checkWeights(): void {
    this.#runner.checkWeights();
  }

  /** What is to be laid over the routes, for all releases together. */
  additions(): readonly OwnedAddition[] {
    return this.#runner.additions();
  }

  /** Throws KIR2032, KIR2049, and what `planRelease` refuses with. */
  plan(source: ReleaseSource): ReleasePlan {
    const { current, models } = this.#parts.mesh;
    const release = readRelease(source, models.defaultNamespace);
    const planning = planRelease({
      table: current.tableFor?.(release.spec) ?? current.table,
      current: current.placements(),
      release,
      actor: source.actor,
      sites: current.sites,
    });
    if (planning.kind === "refused") throw planning.error;
    const { plan } = planning;
    const [command] = this.#parts.allowsCommands === true ? [] : findCommands(plan.steps);
    if (command !== undefined) throw refuseCommand(plan, command);
    this.#parts.checkPlan?.(plan);
    return plan;
  }

  start(source: ReleaseSource): ReleaseStatus {
    const { actor, reason } = source;
    const plan = this.plan(source);
    this.#runner.checkFree(plan);
    const busy = [...releasedServices(plan)].find((service) => this.#parts.mesh.engine.isMoving(service));
    if (busy !== undefined) {
      throw new KirikaeError("KIR2013", `A move of ${busy} has not ended, and ${plan.release} begins where it ends.`, {
        exitStatus: 1,
        hint: "Wait for it, then start the release; `kirikae status` shows it.",
      });
    }
    return this.#describe(this.#runner.start(plan, { actor, reason: reason ?? null }));
  }

  list(): readonly ReleaseStatus[] {
    return this.#parts.mesh.engine.releases().map((release) => this.#describe(release));
  }

  get(name: string, namespace?: string): ReleaseStatus {
    return this.#describe(this.#runner.find({ name, namespace }));
  }

  report(name: string, namespace?: string): ReleaseReport {
    const release = this.#runner.find({ name, namespace });
    return reportRelease(release, {
      atMs: Date.now(),
      history: this.#parts.mesh.engine.history(),
      traffic: this.#runner.trafficNow(release.id),
      mirror: this.#parts.mirror?.(release.plan.release),
    });
  }

  async look(ids: readonly string[]): Promise<ReadonlyMap<string, ReleaseLive>> {
    return this.#live.look(this.#runner.active().filter(({ id }) => ids.includes(id)));
  }

  choices(name: string, actor: string): readonly ReleaseChoice[] {
    const { plan, state } = this.#runner.find({ name });
    const { account } = this.#parts;
    const person = { actor, reason: null, atMs: createSystemClock().nowMs() };
    return foreseeCommands({ plan, state }, (command) =>
      advanceRelease(plan, state, completeEvent({ ...command, ...person }, { plan, account })),
    );
  }

  order(name: string, { command, actor, reason }: ReleaseOrder): ReleaseStatus {
    const { id } = this.#runner.find({ name });
    return this.#describe(this.#runner.command(id, command, { actor, reason: reason ?? null }));
  }

  /**
   * Takes a release that is over out of memory, and what it has left over the routes away from them. Rejects where that
   * cannot be laid; asking again does it then.
   */
  async forget(id: string): Promise<void> {
    const { engine } = this.#parts.mesh;
    const known = engine.releases().find((release) => release.id === id);
    if (known !== undefined) engine.forget(id);
    await this.#parts.lay(() => this.additions(), known?.plan.release ?? id, { isWayBack: true });
  }

  /**
   * A rule that a release moves is not moved by hand as well: the next step would not find what it was planned on.
   * Throws KIR2034.
   */
  checkFree(plan: MovePlan): void {
    const services = movedServices(plan);
    const release = this.#runner.active().find((one) => services.some((name) => releasedServices(one.plan).has(name)));
    if (release === undefined) return;
    const { state } = release;
    throw new KirikaeError(
      "KIR2034",
      `${plan.virtualService} belongs to the release ${release.plan.release}, which is ${describePhase(state.phase)}.`,
      { exitStatus: 1, hint: "Let the release move it, or abort the release first." },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runner[Symbol.asyncDispose]();
    await this.#parts.notifier?.[Symbol.asyncDispose]();
  }

  /** What a release was doing when the journal could last be written is not what it does now. */
  #describe({ id, plan, state, startedAt, actor, reason, events }: StoredRelease): ReleaseStatus {
    const described = describeRelease(plan, state);
    const waits = this.#runner.waitsFor(id);
    const message = this.#runner.isStalled(id)
      ? "does not go on while the journal cannot be written; it tries again by itself"
      : [described.message, ...(waits === undefined ? [] : [waits])].join(": ");
    const check = this.#runner.progress(id) ?? null;
    const lastEvent = events.at(-1) ?? null;
    return { id, ...described, message, startedAt, actor, reason, lastEvent, check, live: null, plan, events };
  }
}

function turnOf(release: StoredRelease, { before, event }: ReleaseChange): ReleaseTurn {
  const { id, plan, actor, reason, state, events } = release;
  return { id, plan, actor, reason, before, after: state, event, count: events.length };
}

function readRelease({ path, text, release: wanted }: ReleaseSource, defaultNamespace: string): ReleaseManifest {
  const { manifests, diagnostics } = parseManifests([{ path, text }], { defaultNamespace });
  const wrong = diagnostics.find(({ level }) => level === "error");
  if (wrong !== undefined) {
    const where = wrong.at === undefined ? path : renderPosition(wrong.at);
    throw new KirikaeError("KIR2032", `${where} ${wrong.code} ${wrong.message}`, {
      exitStatus: 2,
      hint: wrong.hint ?? `\`kirikae check ${path}\` shows all that is wrong with it.`,
    });
  }
  const chosen = chooseRelease(manifests, { path, wanted });
  if (chosen.kind === "refused") throw chosen.error;
  return chosen.release;
}

/** Whoever may start a release need not be somebody who may run programs here. */
function refuseCommand({ release }: ReleasePlan, command: string): KirikaeError {
  return new KirikaeError("KIR2049", `${release} would run ${command}, and this mesh runs no commands of releases.`, {
    exitStatus: 2,
    hint: "Start it with `kirikae up --allow-commands` if all who hold the API's token may run programs with your rights.",
  });
}

/** Carries releases out on the mesh that runs. */
function createReleaseHost(parts: ReleaseParts): ReleaseHost {
  const { move, lay, findStripped, editSubsets, sources, readyEndpoints, mostForward } = parts;
  const { current } = parts.mesh;
  return {
    move,
    lay,
    ...(findStripped !== undefined && { findStripped }),
    ...(editSubsets !== undefined && { editSubsets }),
    ...(mostForward !== undefined && { mostForward }),
    ...sources,
    ...createReleaseMoves({
      live: () => ({ table: current.table, current: current.placements() }),
      readyEndpoints,
      declaresWhatIsLive: current.sites !== undefined,
      findDestinationRule: (name) => current.sites?.findDestinationRule(name),
    }),
  };
}
