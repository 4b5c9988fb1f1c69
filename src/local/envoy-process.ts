import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { AdminClient } from "./admin-client.ts";
import type { EnvoyBinary } from "./envoy-binary.ts";
import { readLogTail } from "./log-file.ts";
import { isRunning, stopProcess } from "./process-identity.ts";
import type { ProcessRegistry, RunningRecord } from "./process-registry.ts";
import { writePrivateFile, type StateFolder } from "./state-folder.ts";
import { SupervisedProcess, type LaunchSpec, type SupervisionEvent } from "./supervised-process.ts";

export interface EnvoyProcessOptions {
  readonly binary: EnvoyBinary;
  readonly state: StateFolder;
  readonly registry: ProcessRegistry;
  /** The whole bootstrap, as JSON or YAML. It has to put the admin interface on `adminSocket`. */
  readonly bootstrap: string;
  readonly adminSocket: string;
  /** Worker threads; `defaultConcurrency()` where it is not given. */
  readonly concurrency?: number | undefined;
  /** How long Envoy may take until its admin interface answers; 15 s where it is not given. */
  readonly startTimeoutMs?: number | undefined;
  onEvent?(event: SupervisionEvent): void;
}

export type EnvoyOrigin = "started" | "adopted";

const stopGraceMs = 3_000;
const adminPollMs = 10;
const adoptionAnswerMs = 3_000;

/** Two workers where the machine has them: enough to see that every worker follows, and the rest is left to the apps. */
function defaultConcurrency(): number {
  return Math.min(2, availableParallelism());
}

/**
 * The local Envoy. It runs in a session of its own and outlives kirikae; a new kirikae adopts it when the process that
 * was written down still runs, its admin interface answers, and it was started in exactly the way it would be now.
 */
export class EnvoyProcess implements AsyncDisposable {
  readonly origin: EnvoyOrigin;
  readonly admin: AdminClient;
  readonly concurrency: number;
  readonly logFile: string;
  readonly #supervised: SupervisedProcess;

  private constructor(supervised: SupervisedProcess, plan: EnvoyPlan, origin: EnvoyOrigin) {
    this.#supervised = supervised;
    this.origin = origin;
    this.admin = plan.admin;
    this.concurrency = plan.concurrency;
    this.logFile = plan.launch.logFile;
  }

  /**
   * Adopts the running Envoy or starts one, and returns once its admin interface answers; `whenLive` waits for the
   * configuration. An earlier Envoy of this state folder that cannot be adopted is stopped first.
   * @throws KirikaeError KIR5009 when Envoy ends or stays silent.
   */
  static async start(options: EnvoyProcessOptions): Promise<EnvoyProcess> {
    const plan = planEnvoy(options);
    const { registry } = options;
    const supervised = new SupervisedProcess({
      registry,
      stopScope: "process",
      graceMs: stopGraceMs,
      prepare: () => Promise.resolve(plan.launch),
      onEvent: (event) => options.onEvent?.(event),
    });
    const adopted = await takeAdoptable(registry, plan);
    if (adopted !== undefined) {
      supervised.adopt(adopted);
      return new EnvoyProcess(supervised, plan, "adopted");
    }
    await writePrivateFile(options.state.bootstrap, options.bootstrap);
    await startUntilAnswering(supervised, plan, options.startTimeoutMs ?? 15_000);
    return new EnvoyProcess(supervised, plan, "started");
  }

  /** Undefined between a crash and the restart. */
  get pid(): number | undefined {
    return this.#supervised.record?.process.pid;
  }

  get restarts(): number {
    return this.#supervised.restarts;
  }

  /**
   * Waits until Envoy has its first configuration and listens.
   * @throws KirikaeError KIR5009 after the timeout.
   */
  async whenLive(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await this.admin.isLive({ timeoutMs: 1_000 }))) {
      if (this.#supervised.isEnding || performance.now() > deadline) {
        throw await startError(`Envoy was not ready within ${timeoutMs} ms`, this.logFile);
      }
      await delay(adminPollMs);
    }
  }

  /** Ends Envoy: SIGTERM, and SIGKILL after 3 s. */
  async stop(): Promise<void> {
    await this.#supervised.stop();
  }

  /** Lets it run on for the next kirikae. */
  async detach(): Promise<void> {
    await this.#supervised.detach();
  }

  /** For a start that did not succeed: ends it if it was started here. */
  async release(): Promise<void> {
    await this.#supervised.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Stops the Envoy that an earlier kirikae left, for a caller that will not start one. */
export async function stopLeftEnvoy(registry: ProcessRegistry): Promise<void> {
  for (const record of registry.running("envoy")) await stopRecord(registry, record);
}

interface EnvoyPlan {
  readonly launch: LaunchSpec;
  readonly admin: AdminClient;
  readonly concurrency: number;
}

function planEnvoy(options: EnvoyProcessOptions): EnvoyPlan {
  const concurrency = options.concurrency ?? defaultConcurrency();
  const args = [
    "--config-path",
    options.state.bootstrap,
    "--concurrency",
    String(concurrency),
    // Shared memory of hot restart is named by a base id that two Envoys on one machine would fight for.
    "--disable-hot-restart",
    "--file-flush-interval-msec",
    "200",
    "--log-level",
    "warning",
    "--skip-deprecated-logs",
  ];
  const specHash = createHash("sha256")
    .update(JSON.stringify([options.binary.path, options.binary.version, args, options.bootstrap]))
    .digest("hex");
  return {
    concurrency,
    admin: new AdminClient(options.adminSocket),
    launch: {
      role: "envoy",
      name: "envoy",
      replica: 0,
      specHash,
      port: undefined,
      file: options.binary.path,
      args,
      env: process.env,
      workingDirectory: options.state.path,
      logFile: join(options.state.logs, "envoy.log"),
    },
  };
}

/** The running Envoy, if it is what would be started; every other one that was written down is stopped. */
async function takeAdoptable(registry: ProcessRegistry, plan: EnvoyPlan): Promise<RunningRecord | undefined> {
  let adopted: RunningRecord | undefined;
  for (const record of registry.running("envoy")) {
    const fits = adopted === undefined && record.specHash === plan.launch.specHash;
    if (fits && (await answers(record, plan.admin))) adopted = record;
    else await stopRecord(registry, record);
  }
  return adopted;
}

/** Whether the admin interface answers, and still the same process runs after it has. */
async function answers(record: RunningRecord, admin: AdminClient): Promise<boolean> {
  const deadline = performance.now() + adoptionAnswerMs;
  while (performance.now() < deadline && isRunning(record.process)) {
    if (await hasAnswer(admin)) return isRunning(record.process);
    await delay(adminPollMs);
  }
  return false;
}

async function stopRecord(registry: ProcessRegistry, record: RunningRecord): Promise<void> {
  const { stopScope: scope, id: launchId } = record;
  if (await stopProcess(record.process, { scope, launchId, graceMs: stopGraceMs })) registry.remove(record.id);
}

async function startUntilAnswering(supervised: SupervisedProcess, plan: EnvoyPlan, timeoutMs: number): Promise<void> {
  const { logFile, file } = plan.launch;
  try {
    await supervised.start();
  } catch (error) {
    throw await startError(`${file} cannot be started`, logFile, error);
  }
  const deadline = performance.now() + timeoutMs;
  const pid = supervised.record?.process.pid;
  while (!(await hasAnswer(plan.admin))) {
    const hasEnded = supervised.record?.process.pid !== pid || pid === undefined;
    if (!hasEnded && performance.now() < deadline) {
      await delay(adminPollMs);
      continue;
    }
    await supervised.stop();
    throw await startError(
      hasEnded ? "Envoy ended while it started" : `Envoy's admin interface was silent for ${timeoutMs} ms`,
      logFile,
    );
  }
}

/** Any answer will do: before the first configuration `/ready` is 503 `PRE_INITIALIZING`. */
async function hasAnswer(admin: AdminClient): Promise<boolean> {
  try {
    await admin.get("/ready", { timeoutMs: 1_000 });
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

async function startError(what: string, logFile: string, cause?: unknown): Promise<KirikaeError> {
  const tail = await readLogTail(logFile, { lines: 5 });
  return new KirikaeError("KIR5009", [`${what}.`, ...tail].join("\n"), {
    exitStatus: 3,
    hint: `Its log is ${logFile}.`,
    cause,
  });
}
