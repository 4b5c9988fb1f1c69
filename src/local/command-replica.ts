import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import type { HostPort, HttpReadiness, LocalCommand } from "../core/manifest/local-workload.ts";
import type { FreePorts } from "./free-port.ts";
import { readLogTail } from "./log-file.ts";
import type { ProcessRegistry, RunningRecord } from "./process-registry.ts";
import { ReadinessWatch } from "./readiness.ts";
import { SupervisedProcess, type LaunchSpec, type SupervisionEvent } from "./supervised-process.ts";

/** What one replica runs. Two with the same hash are interchangeable. */
export interface ReplicaSpec {
  /** The workload's `namespace/name`. */
  readonly name: string;
  readonly command: readonly string[];
  /** Absolute. */
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the mesh tells it; what its manifest says wins. */
  readonly meshEnv: Readonly<Record<string, string>>;
  readonly hash: string;
}

/** What the mesh tells the processes of a workload with a sidecar. */
export interface MeshEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** A process that was told of another proxy has to be replaced; one that misses a newer Service need not be. */
  readonly identity: string;
}

export interface ReplicaOptions {
  readonly spec: ReplicaSpec;
  /** Counts from 0. */
  readonly index: number;
  readonly readiness: HttpReadiness;
  readonly registry: ProcessRegistry;
  readonly ports: FreePorts;
  readonly logFolder: string;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Address, readiness, pid or number of restarts changed. */
  onChange(replica: CommandReplica): void;
  onEvent(replica: CommandReplica, event: SupervisionEvent): void;
}

export type ReplicaStart =
  | { readonly kind: "ready" }
  | { readonly kind: "notReady"; readonly reason: string; readonly logTail: readonly string[] };

const host = "127.0.0.1";
/** A port that was taken meanwhile costs one exit; a program that ends this often does not work. */
const hopelessExits = 4;

export interface ReplicaSource {
  /** The workload's `namespace/name`. */
  readonly name: string;
  readonly command: LocalCommand;
  /** The file with the manifest. */
  readonly declaredIn: string;
  /** Undefined without a sidecar. */
  readonly mesh?: MeshEnvironment | undefined;
}

/** Builds the spec of a workload's replicas. */
export function buildReplicaSpec({ name, command, declaredIn, mesh }: ReplicaSource): ReplicaSpec {
  const workingDirectory = resolve(dirname(declaredIn), command.workingDirectory ?? ".");
  const env = Object.fromEntries(Object.entries(command.env).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const identity = [name, command.command, workingDirectory, env, ...(mesh === undefined ? [] : [mesh.identity])];
  const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  return { name, command: command.command, workingDirectory, env, meshEnv: mesh?.variables ?? {}, hash };
}

/** One process of a `command` workload, on a port of its own, and whether it is ready. */
export class CommandReplica implements AsyncDisposable {
  readonly index: number;
  readonly spec: ReplicaSpec;
  readonly #logFile: string;
  readonly #options: ReplicaOptions;
  readonly #supervised: SupervisedProcess;
  #readiness: HttpReadiness;
  #watch: ReadinessWatch | undefined;
  #port: number | undefined;
  #exits = 0;
  #isStopped = false;
  #lastDetail = "";
  #wake: (() => void) | undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.index = options.index;
    this.spec = options.spec;
    this.#readiness = options.readiness;
    this.#logFile = join(options.logFolder, logName(options.spec.name, options.index));
    this.#supervised = new SupervisedProcess({
      registry: options.registry,
      stopScope: "group",
      graceMs: options.graceMs,
      prepare: () => this.#prepare(),
      onEvent: (event) => this.#observe(event),
    });
  }

  /** Undefined before the first start. */
  get address(): HostPort | undefined {
    return this.#port === undefined ? undefined : { host, port: this.#port };
  }

  get isReady(): boolean {
    return this.#watch?.isReady ?? false;
  }

  get pid(): number | undefined {
    return this.#supervised.record?.process.pid;
  }

  get restarts(): number {
    return this.#supervised.restarts;
  }

  /** An adopted process goes on writing where it did. */
  get logFile(): string {
    return this.#supervised.record?.logFile ?? this.#logFile;
  }

  /** Starts it, or goes on trying; `whenReady` says how it went. One that was adopted runs already. */
  async start(): Promise<void> {
    if (this.#supervised.record === undefined) await this.#supervised.keepStarting();
  }

  /** Takes over the process that an earlier kirikae started for this spec. */
  adopt(record: RunningRecord): void {
    this.#port = record.port ?? undefined;
    if (this.#port !== undefined) this.#options.ports.keep(this.#port);
    this.#supervised.adopt(record);
  }

  /** The checks are no part of the process: other ones need no new process. */
  useReadiness(readiness: HttpReadiness): void {
    if (JSON.stringify(readiness) === JSON.stringify(this.#readiness)) return;
    this.#readiness = readiness;
    if (this.#watch !== undefined) this.#watchReadiness();
  }

  /** Waits until it is ready, cannot be started, ends again and again, or the time is over. */
  async whenReady(timeoutMs: number): Promise<ReplicaStart> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (this.isReady) return { kind: "ready" };
      const reason = this.#hopelessReason(performance.now() >= deadline ? timeoutMs : undefined);
      if (reason !== undefined) {
        return { kind: "notReady", reason, logTail: await readLogTail(this.logFile, { lines: 5 }) };
      }
      await this.#nextChange(deadline - performance.now());
    }
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#supervised.stop();
    if (this.#port !== undefined) this.#options.ports.release(this.#port);
  }

  /** Leaves the process to the next kirikae. */
  async detach(): Promise<void> {
    this.#end();
    await this.#supervised.detach();
  }

  /** For a start that did not succeed: ends it if it was started here. */
  async release(): Promise<void> {
    this.#end();
    await this.#supervised.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #end(): void {
    this.#isStopped = true;
    this.#endWatch();
    this.#wake?.();
  }

  async #prepare(): Promise<LaunchSpec> {
    const { spec, ports } = this.#options;
    await checkFolder(spec.workingDirectory);
    // After a crash the same port, so that its address stays, unless somebody took it meanwhile.
    if (this.#port !== undefined && (this.#exits >= 2 || !(await ports.isFree(this.#port)))) {
      ports.release(this.#port);
      this.#port = undefined;
    }
    const port = this.#port ?? (await ports.take());
    this.#port = port;
    const [file = "", ...args] = spec.command.map((part) => withPort(part, port));
    return {
      role: "workload",
      name: spec.name,
      replica: this.index,
      specHash: spec.hash,
      port,
      file,
      args,
      env: buildEnvironment({ ...spec.meshEnv, ...spec.env }, port),
      workingDirectory: spec.workingDirectory,
      logFile: this.#logFile,
    };
  }

  #observe(event: SupervisionEvent): void {
    switch (event.kind) {
      case "started":
      case "adopted":
        this.#watchReadiness();
        break;
      case "exited":
        this.#endWatch();
        this.#exits += 1;
        this.#lastDetail = `its process ended with ${event.detail}`;
        break;
      case "startFailed":
        this.#lastDetail = event.detail;
        this.#exits = hopelessExits;
        break;
    }
    this.#options.onEvent(this, event);
    this.#changed();
  }

  #watchReadiness(): void {
    this.#endWatch();
    const at = this.address;
    // A start that was under way when it was stopped comes to its end first.
    if (at === undefined || this.#isStopped) return;
    const onChange = (isReady: boolean): void => {
      if (isReady) this.#exits = 0;
      this.#changed();
    };
    this.#watch = new ReadinessWatch({ at, readiness: this.#readiness, onChange });
  }

  #endWatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #changed(): void {
    this.#wake?.();
    this.#options.onChange(this);
  }

  #nextChange(forMs: number): Promise<void> {
    return new Promise((resolveWait) => {
      const timer = setTimeout(() => this.#wake?.(), Math.max(1, forMs));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolveWait();
      };
    });
  }

  #hopelessReason(elapsedMs: number | undefined): string | undefined {
    if (this.#isStopped) return "it was stopped before it was ready";
    if (this.#exits >= hopelessExits) return this.#lastDetail;
    if (elapsedMs === undefined) return undefined;
    const check = this.#readiness.path === undefined ? "accept a connection" : `answer GET ${this.#readiness.path}`;
    const last = this.#lastDetail === "" ? "" : `, and ${this.#lastDetail}`;
    return `it did not ${check} on port ${this.#port ?? "?"} within ${elapsedMs / 1000} s${last}`;
  }
}

/** `$PORT` and `${PORT}`, but not the beginning of `$PORTAL`. */
function withPort(text: string, port: number): string {
  return text.replaceAll(/\$PORT(?![A-Za-z0-9_])|\$\{PORT\}/g, String(port));
}

/** The folder of this Node comes first, so that `node` in a command is as modern as the one that runs kirikae. */
function buildEnvironment(declared: Readonly<Record<string, string>>, port: number): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, withPort(value, port)]));
  const path = [dirname(process.execPath), own["PATH"] ?? process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter);
  return { ...process.env, ...own, PATH: path, PORT: String(port) };
}

function logName(name: string, index: number): string {
  return `${name.replace("/", ".").replaceAll(/[^A-Za-z0-9._-]/g, "_")}-${index}.log`;
}

/** Node reports a missing working directory as a missing program, which sends the user the wrong way. */
async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new Error(`its working directory ${path} is not there`);
}
