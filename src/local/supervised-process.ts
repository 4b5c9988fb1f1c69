import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync } from "node:fs";
import { openLogFile, rotateLogFile } from "./log-file.ts";
import {
  isRunning,
  launchVariable,
  observeProcess,
  stopProcess,
  type ProcessIdentity,
  type StopScope,
} from "./process-identity.ts";
import type { LaunchRecord, ProcessRegistry, RunningRecord } from "./process-registry.ts";
import { errorText } from "../core/diagnostics/error-text.ts";

/** Everything that one start needs. */
export interface LaunchSpec {
  readonly role: LaunchRecord["role"];
  readonly name: string;
  readonly replica: number;
  readonly specHash: string;
  readonly port: number | undefined;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly workingDirectory: string | undefined;
  readonly logFile: string;
}

export interface SupervisionOptions {
  readonly registry: ProcessRegistry;
  readonly stopScope: StopScope;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  /** Called before every start, so that a restart can choose another port. */
  prepare(): Promise<LaunchSpec>;
  onEvent?(event: SupervisionEvent): void;
  readonly backoff?: Partial<Backoff> | undefined;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A process that ran this long is healthy, and its next crash starts from `firstMs` again. */
  readonly resetAfterMs: number;
}

export type SupervisionEvent =
  | { readonly kind: "started"; readonly pid: number; readonly port: number | undefined }
  | { readonly kind: "adopted"; readonly pid: number; readonly port: number | undefined }
  /** `detail` is the status or signal where it is known; that of an adopted process is not. */
  | { readonly kind: "exited"; readonly pid: number; readonly detail: string; readonly restartInMs: number }
  | { readonly kind: "startFailed"; readonly detail: string; readonly restartInMs: number };

const defaultBackoff: Backoff = { firstMs: 100, maxMs: 5_000, resetAfterMs: 10_000 };
const adoptedPollMs = 100;
const rotationIntervalMs = 2_000;

interface Current {
  readonly record: RunningRecord;
  readonly isAdopted: boolean;
  readonly startedAtMs: number;
  stopWatching(): void;
}

/**
 * Keeps one process running: starts it in a session of its own, so that it outlives kirikae, writes down who it is, and
 * starts it again when it ends. It can also take over a process that an earlier kirikae started.
 */
export class SupervisedProcess implements AsyncDisposable {
  readonly #options: SupervisionOptions;
  readonly #backoff: Backoff;
  #current: Current | undefined;
  #restart: NodeJS.Timeout | undefined;
  #launching: Promise<void> | undefined;
  #delayMs: number;
  #restarts = 0;
  #isEnding = false;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.#backoff = { ...defaultBackoff, ...options.backoff };
    this.#delayMs = this.#backoff.firstMs;
  }

  /** The process that runs now; undefined between an exit and the restart. */
  get record(): RunningRecord | undefined {
    return this.#current?.record;
  }

  /** It was stopped or left, and will not be started again. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Starts it. Rejects when it cannot be started at all; nothing is supervised then. */
  async start(): Promise<void> {
    this.#launching = this.#launch();
    await this.#launching;
  }

  /** Starts it; one that cannot be started is tried again after the backoff, and reported. */
  async keepStarting(): Promise<void> {
    this.#launching = this.#launchOrRetry();
    await this.#launching;
  }

  /** Takes over a process that runs already. */
  adopt(record: RunningRecord): void {
    const poll = setInterval(() => {
      if (!isRunning(record.process)) void this.#exited("unknown, it was not a child of this kirikae");
    }, adoptedPollMs);
    poll.unref();
    this.#watch(record, { isAdopted: true, stopWatching: () => clearInterval(poll) });
    this.#report({ kind: "adopted", pid: record.process.pid, port: record.port ?? undefined });
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#restart);
    await this.#launching?.catch(() => undefined);
    const current = this.#current;
    if (current === undefined) return;
    current.stopWatching();
    this.#current = undefined;
    await this.#endProcess(current.record);
  }

  /** Stops watching and leaves the process to the next kirikae. */
  async detach(): Promise<void> {
    this.#isEnding = true;
    clearTimeout(this.#restart);
    await this.#launching?.catch(() => undefined);
    this.#current?.stopWatching();
    this.#current = undefined;
  }

  /** For a start that did not succeed: ends what was started here, and leaves what was adopted as it was found. */
  async release(): Promise<void> {
    await (this.#current?.isAdopted === true ? this.detach() : this.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #launch(): Promise<void> {
    const spec = await this.#options.prepare();
    const record = recordOf(spec, this.#options.stopScope);
    this.#options.registry.declare(record);
    let child: ChildProcess;
    try {
      child = await spawnDetached(spec, record.id);
    } catch (error) {
      this.#options.registry.remove(record.id);
      throw error;
    }
    const { pid } = child;
    if (pid === undefined) throw new Error(`${spec.file} was started without a pid`);
    // One that has ended already is a zombie until its exit is read below, so it has no identity any more.
    const identity: ProcessIdentity = observeProcess(pid) ?? { pid, startedAt: "ended" };
    this.#options.registry.confirm(record.id, identity);
    const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
      void this.#exited(signal === null ? `status ${code}` : `signal ${signal}`);
    };
    const stopWatching = (): void => void child.off("exit", exited);
    this.#watch({ ...record, process: identity }, { isAdopted: false, stopWatching });
    this.#report({ kind: "started", pid, port: spec.port });
    if (child.exitCode !== null || child.signalCode !== null) exited(child.exitCode, child.signalCode);
    else child.once("exit", exited);
  }

  #watch(record: RunningRecord, { isAdopted, stopWatching }: Pick<Current, "isAdopted" | "stopWatching">): void {
    const rotation = setInterval(() => void rotateLogFile(record.logFile).catch(() => undefined), rotationIntervalMs);
    rotation.unref();
    this.#current = {
      record,
      isAdopted,
      startedAtMs: performance.now(),
      stopWatching: () => {
        clearInterval(rotation);
        stopWatching();
      },
    };
  }

  async #exited(detail: string): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    current.stopWatching();
    this.#current = undefined;
    if (performance.now() - current.startedAtMs >= this.#backoff.resetAfterMs) this.#delayMs = this.#backoff.firstMs;
    const { pid } = current.record.process;
    const restartInMs = this.#takeDelay();
    this.#report({ kind: "exited", pid, detail, restartInMs });
    // What the process left behind in its group would hold the port.
    this.#launching = this.#endProcess(current.record);
    await this.#launching;
    this.#scheduleRestart(restartInMs);
  }

  #scheduleRestart(delayMs: number): void {
    if (this.#isEnding) return;
    this.#restart = setTimeout(() => {
      this.#restarts += 1;
      this.#launching = this.#launchOrRetry();
    }, delayMs);
  }

  async #launchOrRetry(): Promise<void> {
    try {
      await this.#launch();
    } catch (error) {
      const restartInMs = this.#takeDelay();
      this.#report({ kind: "startFailed", detail: errorText(error), restartInMs });
      this.#scheduleRestart(restartInMs);
    }
  }

  #takeDelay(): number {
    const delay = this.#delayMs;
    this.#delayMs = Math.min(delay * 2, this.#backoff.maxMs);
    return delay;
  }

  /** It stays written down when it cannot be ended, so that a later kirikae tries again. */
  async #endProcess(record: RunningRecord): Promise<void> {
    const { registry, stopScope, graceMs } = this.#options;
    const isGone = await stopProcess(record.process, { scope: stopScope, launchId: record.id, graceMs });
    if (isGone) registry.remove(record.id);
  }

  #report(event: SupervisionEvent): void {
    this.#options.onEvent?.(event);
  }
}

function recordOf(spec: LaunchSpec, stopScope: StopScope): LaunchRecord {
  const { role, name, replica, specHash, logFile } = spec;
  return {
    id: randomUUID(),
    role,
    name,
    replica,
    specHash,
    logFile,
    stopScope,
    port: spec.port ?? null,
    process: null,
  };
}

/** Resolves once the program runs; rejects when there is no such program or it may not be run. */
async function spawnDetached(spec: LaunchSpec, launchId: string): Promise<ChildProcess> {
  const log = openLogFile(spec.logFile);
  try {
    const child = spawn(spec.file, spec.args, {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...spec.env, [launchVariable]: launchId },
      cwd: spec.workingDirectory,
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}
