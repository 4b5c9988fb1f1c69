import { setTimeout as delay } from "node:timers/promises";
import type { WorkloadStatus } from "../api/types.ts";
import type { HostPort, HttpReadiness, LocalCommand } from "../core/manifest/local-workload.ts";
import { objectName, type LocalWorkloadManifest } from "../core/manifest/manifest.ts";
import { AddressEndpoint } from "./address-endpoint.ts";
import { buildReplicaSpec, CommandReplica, type MeshEnvironment, type ReplicaSpec } from "./command-replica.ts";
import { FreePorts } from "./free-port.ts";
import { stopProcess } from "./process-identity.ts";
import { hasConnections } from "./port-owner.ts";
import type { ProcessRegistry, RunningRecord } from "./process-registry.ts";
import type { SupervisionEvent } from "./supervised-process.ts";

export interface WorkloadEndpoint extends HostPort {
  /** Which replica, counted from 0; it keeps its number over restarts. */
  readonly replica: number;
  readonly ready: boolean;
}

/** Why a replica is not ready, in words that follow `workload NAME:`. */
export interface WorkloadProblem {
  /** `namespace/name`. */
  readonly workload: string;
  readonly replica: number;
  readonly reason: string;
  readonly logFile: string | undefined;
  readonly logTail: readonly string[];
}

export interface WorkloadEvent {
  readonly workload: string;
  readonly replica: number;
  readonly event: SupervisionEvent;
}

export interface WorkloadsOptions {
  readonly registry: ProcessRegistry;
  readonly logFolder: string;
  /** Ports that no replica may get, such as those of the gateways. */
  readonly avoidPorts?: Iterable<number> | undefined;
  /** How long a new replica may take to get ready; 30 s where it is not given. */
  readonly readyTimeoutMs?: number | undefined;
  /** Between the moment when a replica gets no new requests and its SIGTERM, at least; 1 s where it is not given. */
  readonly drainMs?: number | undefined;
  /** The same, at most, while somebody is still connected to it; 60 s where it is not given. */
  readonly drainTimeoutMs?: number | undefined;
  /** Between SIGTERM and SIGKILL; 5 s where it is not given. */
  readonly graceMs?: number | undefined;
  onEvent?(event: WorkloadEvent): void;
}

/**
 * A change of the workloads between its two halves. What is new runs; what is old still runs and is still what
 * `LocalWorkloads` shows. Exactly one of `commit` and `abandon` ends it.
 */
export interface WorkloadChange {
  /** Replicas that did not get ready. */
  readonly problems: readonly WorkloadProblem[];
  /** Those that a workload will have. */
  endpoints(name: string): readonly WorkloadEndpoint[];
  /**
   * Once the proxies use the new endpoints: shows them at once, lets the old replicas drain, and stops them. Resolves when
   * these are gone, which nothing has to wait for.
   */
  commit(): Promise<void>;
  /** Stops what was started for the change. */
  abandon(): Promise<void>;
}

const drainPollMs = 200;

type Member = CommandReplica | AddressEndpoint;
type Members = ReadonlyMap<string, readonly Member[]>;

/** By `namespace/name` of the workloads that have a sidecar. */
export type MeshEnvironments = ReadonlyMap<string, MeshEnvironment>;

/**
 * The pods of a laptop: processes that are started, watched and restarted, and addresses that are watched. Replicas
 * survive kirikae and are adopted by the next one when their spec is the same.
 */
export class LocalWorkloads implements AsyncDisposable {
  readonly #options: WorkloadsOptions;
  readonly #ports: FreePorts;
  readonly #listeners = new Set<(name: string) => void>();
  readonly #retiring = new Set<Promise<void>>();
  /** Fires when replicas are not to be drained any longer. */
  readonly #ending = new AbortController();
  #isLettingGo = false;
  /** Left by an earlier kirikae, and not adopted yet. */
  #leftBehind: readonly RunningRecord[];
  #current: Members = new Map();
  #pending: Members | undefined;
  #isStopped = false;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
    this.#ports = new FreePorts(options.avoidPorts);
    this.#leftBehind = options.registry.running("workload");
  }

  /** The replicas of one workload; empty for one that is not known. */
  endpoints(name: string): readonly WorkloadEndpoint[] {
    return endpointsOf(this.#current.get(name) ?? []);
  }

  /** Called with a workload's name when its endpoints or their readiness changed. */
  onChange(listener: (name: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  status(): readonly WorkloadStatus[] {
    return [...this.#current].map(([name, members]) => ({
      name,
      replicas: members.map((member) => ({
        address: renderAddress(member.address),
        ready: member.isReady,
        pid: member.pid,
        restarts: member.restarts,
        logFile: member.logFile,
      })),
    }));
  }

  /**
   * Starts what `workloads` has and does not run yet, and waits until it is ready or cannot be. Replicas of an
   * unchanged spec go on; those that an earlier kirikae left are adopted.
   */
  async prepare(
    workloads: Iterable<LocalWorkloadManifest>,
    environments: MeshEnvironments = new Map(),
  ): Promise<WorkloadChange> {
    if (this.#isStopped) throw new Error("the workloads were stopped");
    if (this.#pending !== undefined)
      throw new Error("an earlier change of the workloads is neither committed nor abandoned");
    const next = new Map<string, readonly Member[]>();
    this.#pending = next;
    let problems: readonly WorkloadProblem[];
    try {
      problems = await this.#startNew(workloads, environments, next);
    } catch (error) {
      await this.#abandon(next);
      throw error;
    }
    return {
      problems,
      endpoints: (name) => endpointsOf(next.get(name) ?? []),
      commit: () => this.#commit(next),
      abandon: () => this.#abandon(next),
    };
  }

  /** Both halves at once, for a caller without proxies. Resolves when the new replicas are shown and the old are gone. */
  async update(workloads: Iterable<LocalWorkloadManifest>): Promise<readonly WorkloadProblem[]> {
    const change = await this.prepare(workloads);
    await change.commit();
    return change.problems;
  }

  /** Ends everything that was started, here or by the kirikae before, without draining. A pending change ends too. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#ending.abort();
    const members = new Set([...allOf(this.#current), ...allOf(this.#pending ?? new Map())]);
    this.#current = new Map();
    this.#pending = undefined;
    this.#listeners.clear();
    await Promise.all([...members].map((member) => member.stop()));
    await this.#stopLeftBehind();
    await Promise.all(this.#retiring);
  }

  /** Lets every process run on for the next kirikae. */
  async detach(): Promise<void> {
    await Promise.all(this.#letGo().map((member) => member.detach()));
    await Promise.all(this.#retiring);
  }

  /** For a start that did not succeed: ends what was started here; what an earlier kirikae left runs on. */
  async release(): Promise<void> {
    await Promise.all(this.#letGo().map((member) => member.release()));
    await Promise.all(this.#retiring);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Replicas that drain run on too; the next kirikae retires them, as left behind. */
  #letGo(): readonly Member[] {
    this.#isStopped = true;
    this.#isLettingGo = true;
    this.#ending.abort();
    this.#listeners.clear();
    return [...new Set([...allOf(this.#current), ...allOf(this.#pending ?? new Map())])];
  }

  async #startNew(
    workloads: Iterable<LocalWorkloadManifest>,
    environments: MeshEnvironments,
    next: Map<string, readonly Member[]>,
  ): Promise<readonly WorkloadProblem[]> {
    for (const manifest of workloads) {
      const name = objectName(manifest);
      next.set(name, this.#membersOf(manifest, environments.get(name)));
    }
    const fresh = without(next, this.#current);
    await Promise.all(fresh.map((member) => member.start()));
    return this.#waitUntilReady(fresh);
  }

  #membersOf(manifest: LocalWorkloadManifest, mesh: MeshEnvironment | undefined): readonly Member[] {
    const name = objectName(manifest);
    const { source } = manifest.spec;
    if (source.kind === "command") {
      const spec = buildReplicaSpec({ name, command: source, declaredIn: manifest.at.file, mesh });
      return this.#replicas(spec, source);
    }
    return source.addresses.map((address) => this.#addressMember(name, address, source.readiness));
  }

  #addressMember(name: string, address: HostPort, readiness: HttpReadiness): AddressEndpoint {
    const known = (this.#current.get(name) ?? []).find(
      (member): member is AddressEndpoint => member instanceof AddressEndpoint && member.isSame(address, readiness),
    );
    return known ?? new AddressEndpoint(address, readiness, () => this.#changed(name));
  }

  #replicas(spec: ReplicaSpec, command: LocalCommand): readonly Member[] {
    const { name } = spec;
    const kept = new Map<number, CommandReplica>();
    for (const member of this.#current.get(name) ?? []) {
      if (!(member instanceof CommandReplica) || member.spec.hash !== spec.hash) continue;
      if (member.index < command.replicas) kept.set(member.index, member);
    }
    return Array.from({ length: command.replicas }, (_, index) => {
      const known = kept.get(index);
      if (known !== undefined) {
        known.useReadiness(command.readiness);
        return known;
      }
      const replica = new CommandReplica({
        spec,
        index,
        readiness: command.readiness,
        registry: this.#options.registry,
        ports: this.#ports,
        logFolder: this.#options.logFolder,
        graceMs: this.#options.graceMs ?? 5_000,
        onChange: () => this.#changed(name),
        onEvent: (_, event) => this.#options.onEvent?.({ workload: name, replica: index, event }),
      });
      const record = this.#takeLeftBehind(spec, index);
      if (record !== undefined) replica.adopt(record);
      return replica;
    });
  }

  #takeLeftBehind(spec: ReplicaSpec, index: number): RunningRecord | undefined {
    const fitting = this.#leftBehind.filter((record) => record.name === spec.name && record.specHash === spec.hash);
    const found = fitting.find((record) => record.replica === index) ?? fitting[0];
    this.#leftBehind = this.#leftBehind.filter((record) => record !== found);
    return found;
  }

  async #waitUntilReady(members: readonly Member[]): Promise<readonly WorkloadProblem[]> {
    const timeoutMs = this.#options.readyTimeoutMs ?? 30_000;
    const problems = members.map(async (member): Promise<WorkloadProblem | undefined> => {
      if (!(member instanceof CommandReplica)) {
        await member.whenChecked();
        return undefined;
      }
      const start = await member.whenReady(timeoutMs);
      if (start.kind === "ready") return undefined;
      const { reason, logTail } = start;
      return { workload: member.spec.name, replica: member.index, reason, logFile: member.logFile, logTail };
    });
    return (await Promise.all(problems)).filter((problem) => problem !== undefined);
  }

  async #commit(next: Members): Promise<void> {
    if (this.#isStopped) return;
    this.#endPending(next);
    const before = this.#current;
    this.#current = next;
    for (const name of new Set([...before.keys(), ...next.keys()])) {
      if (!isSame(before.get(name) ?? [], next.get(name) ?? [])) this.#changed(name);
    }
    await this.#retire(without(before, next));
  }

  async #abandon(next: Members): Promise<void> {
    if (this.#isStopped) return;
    this.#endPending(next);
    await Promise.all(without(next, this.#current).map((member) => member.stop()));
  }

  #endPending(next: Members): void {
    if (this.#pending !== next) throw new Error("this change of the workloads has ended already");
    this.#pending = undefined;
  }

  async #retire(members: readonly Member[]): Promise<void> {
    const records = this.#leftBehind;
    this.#leftBehind = [];
    const retirement = Promise.all([
      ...members.map((member) => this.#retireOne(member)),
      ...records.map((record) => this.#retireRecord(record)),
    ]).then(() => undefined);
    this.#retiring.add(retirement);
    try {
      await retirement;
    } finally {
      this.#retiring.delete(retirement);
    }
  }

  async #retireOne(member: Member): Promise<void> {
    if (member instanceof CommandReplica) await this.#drain(member.address?.port);
    await (this.#isLettingGo ? member.detach() : member.stop());
  }

  async #retireRecord(record: RunningRecord): Promise<void> {
    await this.#drain(record.port ?? undefined);
    if (!this.#isLettingGo) await this.#stopRecord(record);
  }

  /**
   * A proxy closes the connections to a replica that it was told to leave: idle ones at once, and the others when their
   * last request ends. So a replica is drained when nobody is connected to it.
   */
  async #drain(port: number | undefined): Promise<void> {
    const { drainMs = 1_000, drainTimeoutMs = 60_000 } = this.#options;
    const { signal } = this.#ending;
    const deadlineMs = performance.now() + drainTimeoutMs;
    await pause(drainMs, signal);
    if (port === undefined) return;
    while (!signal.aborted && performance.now() < deadlineMs && hasConnections(port)) {
      await pause(drainPollMs, signal);
    }
  }

  async #stopLeftBehind(): Promise<void> {
    const records = this.#leftBehind;
    this.#leftBehind = [];
    await Promise.all(records.map((record) => this.#stopRecord(record)));
  }

  async #stopRecord(record: RunningRecord): Promise<void> {
    const { stopScope: scope, id: launchId } = record;
    const graceMs = this.#options.graceMs ?? 5_000;
    if (await stopProcess(record.process, { scope, launchId, graceMs })) this.#options.registry.remove(record.id);
  }

  #changed(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

/** Returns early when the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function endpointsOf(members: readonly Member[]): readonly WorkloadEndpoint[] {
  return members.flatMap((member, replica) =>
    member.address === undefined ? [] : [{ ...member.address, replica, ready: member.isReady }],
  );
}

function allOf(members: Members): readonly Member[] {
  return [...members.values()].flat();
}

function without(members: Members, others: Members): readonly Member[] {
  const known = new Set(allOf(others));
  return allOf(members).filter((member) => !known.has(member));
}

function isSame(before: readonly Member[], after: readonly Member[]): boolean {
  return before.length === after.length && before.every((member, index) => member === after[index]);
}

function renderAddress(address: HostPort | undefined): string {
  if (address === undefined) return "";
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
