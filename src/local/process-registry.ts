import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { findLaunched, isAlive, type ProcessIdentity, type StopScope } from "./process-identity.ts";
import { systemErrorCode } from "./system-error.ts";

/** A process that kirikae started, or was about to start. */
export interface LaunchRecord {
  /** Random; the process carries it in `KIRIKAE_LAUNCH`. */
  readonly id: string;
  readonly role: "envoy" | "workload";
  /** The workload's `namespace/name`, or `envoy`. */
  readonly name: string;
  /** Which of the workload's replicas it is, from 0. */
  readonly replica: number;
  /** Of everything that makes it what it is; another hash needs another process. */
  readonly specHash: string;
  /** The port that it was told to listen on. */
  readonly port: number | null;
  readonly logFile: string;
  readonly stopScope: StopScope;
  /** Null from just before the start until the pid is known. */
  readonly process: ProcessIdentity | null;
}

/** A record whose process was found running. */
export interface RunningRecord extends LaunchRecord {
  readonly process: ProcessIdentity;
}

interface RegistryFile {
  readonly version: 1;
  readonly launches: readonly LaunchRecord[];
}

const launchWaitMs = 300;
const launchPollMs = 30;

/**
 * What was started and may still run, in a file that survives kirikae. A launch is written down before the process
 * exists, and its pid right after; one that died in between is found again by the launch id in its environment.
 * Writes are synchronous and by rename, so that the file is whole at every moment. One kirikae writes it at a time:
 * the caller holds the state folder's lock.
 */
export class ProcessRegistry {
  readonly #path: string;
  readonly #records: Map<string, LaunchRecord>;

  private constructor(path: string, records: readonly LaunchRecord[]) {
    this.#path = path;
    this.#records = new Map(records.map((record) => [record.id, record]));
  }

  /**
   * Reads the file and looks at the world: records of processes that are gone are dropped.
   * @throws KirikaeError KIR5002 when the file cannot be understood.
   */
  static open(path: string): ProcessRegistry {
    const found = readRegistry(path).flatMap((record) => observeLaunch(record) ?? []);
    const registry = new ProcessRegistry(path, found);
    registry.#write();
    return registry;
  }

  /** Those whose process was seen running, oldest first. */
  running(role: LaunchRecord["role"]): readonly RunningRecord[] {
    const all = [...this.#records.values()];
    return all.filter((record): record is RunningRecord => record.role === role && record.process !== null);
  }

  /** Before the process is started. */
  declare(record: LaunchRecord): void {
    this.#records.set(record.id, record);
    this.#write();
  }

  /** Once its pid is known. */
  confirm(id: string, identity: ProcessIdentity): void {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error(`launch ${id} was never declared`);
    this.#records.set(id, { ...record, process: identity });
    this.#write();
  }

  /** Once it is gone for certain. */
  remove(id: string): void {
    if (this.#records.delete(id)) this.#write();
  }

  #write(): void {
    const content: RegistryFile = { version: 1, launches: [...this.#records.values()] };
    const draft = `${this.#path}.draft`;
    rmSync(draft, { force: true });
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.#path);
  }
}

/**
 * The processes of a role that run by the record of a state folder which another kirikae may hold: it only reads.
 * @throws KirikaeError KIR5002 when the file cannot be understood.
 */
export function readRunning(path: string, role: LaunchRecord["role"]): readonly RunningRecord[] {
  return readRegistry(path).flatMap((record) => {
    const { process, stopScope: scope, id: launchId } = record;
    const isRunning = record.role === role && process !== null && isAlive(process, { scope, launchId });
    return isRunning ? [{ ...record, process }] : [];
  });
}

function observeLaunch(record: LaunchRecord): LaunchRecord | undefined {
  const identity = record.process ?? waitForLaunched(record.id);
  if (identity === undefined) return undefined;
  return isAlive(identity, { scope: record.stopScope, launchId: record.id })
    ? { ...record, process: identity }
    : undefined;
}

/**
 * A kirikae that was killed between fork and exec leaves a process that gets its environment a moment later. That is so
 * rare, and one that nobody knows is so bad, that everything may stand still for it.
 */
function waitForLaunched(launchId: string): ProcessIdentity | undefined {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs <= launchWaitMs; waitedMs += launchPollMs) {
    const found = findLaunched(launchId);
    if (found !== undefined) return found;
    Atomics.wait(clock, 0, 0, launchPollMs);
  }
  return undefined;
}

function readRegistry(path: string): readonly LaunchRecord[] {
  try {
    const content: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isRegistryFile(content)) throw new SyntaxError("it is not a list of processes of this version");
    return content.launches;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    if (!(error instanceof SyntaxError)) throw error;
    throw new KirikaeError("KIR5002", `${path} cannot be understood: ${error.message}.`, {
      exitStatus: 3,
      hint: "Look with `ps` for processes that an earlier `kirikae up` left, stop them, and remove the file.",
      cause: error,
    });
  }
}

function isRegistryFile(content: unknown): content is RegistryFile {
  if (!isObject(content) || content["version"] !== 1 || !Array.isArray(content["launches"])) return false;
  return content["launches"].every(isLaunchRecord);
}

/** What decides over the life of a process is checked; the rest is only shown. */
function isLaunchRecord(value: unknown): value is LaunchRecord {
  if (!isObject(value) || typeof value["id"] !== "string" || typeof value["specHash"] !== "string") return false;
  if (value["stopScope"] !== "process" && value["stopScope"] !== "group") return false;
  const identity = value["process"];
  if (identity === null) return true;
  return (
    isObject(identity) &&
    Number.isSafeInteger(identity["pid"]) &&
    Number(identity["pid"]) > 1 &&
    typeof identity["startedAt"] === "string"
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
