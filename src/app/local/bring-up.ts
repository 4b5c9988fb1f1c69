import type { UpEvent, UpOptions } from "../../app-types.ts";
import { blocksServing } from "../../core/diagnostics/diagnostic.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { emitBootstrapJson } from "../../core/envoy/bootstrap.ts";
import { checkApiPort } from "../../api/server.ts";
import { createSystemClock } from "../../engine/clock.ts";
import { AdditionBook } from "../../engine/addition-book.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { type Journal, openJournal } from "../../engine/journal.ts";
import { acquireLock } from "../../engine/lock.ts";
import { findEnvoy } from "../../local/envoy-binary.ts";
import { EnvoyProcess } from "../../local/envoy-process.ts";
import { type ManifestSet, readManifests } from "../../local/manifest-folder.ts";
import type { GatewayPorts } from "../../local/ports.ts";
import { ProcessRegistry } from "../../local/process-registry.ts";
import { SidecarPorts } from "../../local/sidecar-ports.ts";
import { openStateFolder, type StateFolder } from "../../local/state-folder.ts";
import { LocalWorkloads } from "../../local/workloads.ts";
import { LocalEnvoyTarget } from "../../targets/local-envoy/local-envoy-target.ts";
import { letDrain, type ManifestApplier } from "./apply-manifests.ts";
import { ComparedMirrors } from "./compared-mirrors.ts";
import { checkServed } from "./check-served.ts";
import { ManifestModels } from "./manifest-models.ts";
import { CurrentMesh } from "./current-mesh.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
import { goLive } from "./go-live.ts";
import { showAddresses } from "./local-addresses.ts";
import type { MeshModel } from "../../core/mesh-model.ts";
import { orAborted } from "./or-aborted.ts";
import { planPorts } from "./plan-ports.ts";
import { ProcessFate } from "./process-fate.ts";
import { tellWorkloads } from "./sidecars.ts";

/** How the parts of `up` are made; tests wrap the journal to kill the process between its writes. */
export interface UpParts {
  openJournal(file: string): Journal;
}

export const realParts: UpParts = { openJournal };

const listenAddress = "127.0.0.1";
const nodeName = "kirikae-gateway";
const settleMs = 500;
const applyTimeoutMs = 10_000;

/** Everything that runs once `bringUp` has returned; the stack it was given stops it. */
export interface BroughtUp {
  readonly applier: ManifestApplier;
  readonly state: StateFolder;
  readonly manifests: ManifestSet;
  /** Decides what the stack does to the processes. */
  readonly fate: ProcessFate;
}

/**
 * Brings a folder of manifests up on a real Envoy, or finds what an earlier kirikae left running and goes on with it:
 * processes are adopted, and a move that was cut short is completed or restored by what the proxies show.
 * @throws KirikaeError before anything is started for manifests with errors (exit status 2), a state folder in use, a
 * taken port, no Envoy (3).
 */
export async function bringUp(options: UpOptions, parts: UpParts, stack: AsyncDisposableStack): Promise<BroughtUp> {
  const state = await openStateFolder(process.env);
  const owner = { pid: process.pid, since: new Date().toISOString(), folder: options.folder };
  stack.use(acquireLock({ lockFile: state.lock, ownerFile: state.lockOwner, owner }));
  const manifests = await readManifests(options.folder);
  const models = new ManifestModels(options.defaultNamespace);
  const model = await models.readWhole(manifests);
  checkModel(model, options);
  const registry = ProcessRegistry.open(state.processes);
  const sidecarPorts = await SidecarPorts.open(state.sidecarPorts);
  const ports = await planPorts(model.table.listeners, {
    sidecarPorts,
    overrides: options.gatewayPorts,
    listenAddress,
    ownPids: registry.running("envoy").map(({ process: { pid } }) => pid),
  });
  await checkApiPort(options.apiPort);
  const binary = await findBinary(options);
  const journal = stack.use(parts.openJournal(state.journal));
  const fate = new ProcessFate();
  const workloads = startWorkloads({ state, registry, ports, options, fate }, stack);
  const target = await startTarget({ state, options, pid: () => envoy.pid }, stack);
  const engine = createEngine({ journal, target, clock: createSystemClock(), settleMs, applyTimeoutMs });

  options.onEvent({ kind: "progress", message: "starting workloads" });
  const environments = tellWorkloads({ ...model, ports, listenAddress }, process.env);
  const change = await orAborted(workloads.prepare(model.mesh.localWorkloads.values(), environments), options.signal);
  for (const { workload, reason, logFile } of change.problems) {
    const where = logFile === undefined ? "" : ` (its log is ${logFile})`;
    options.onEvent({ kind: "warning", message: `workload ${workload}: ${reason}${where}` });
  }
  const addresses = showAddresses({ listenAddress, ports, endpoints: (name) => change.endpoints(name) });
  const envoy = await startEnvoy({ binary, state, registry, options, fate }, stack);
  options.signal?.throwIfAborted();
  if (envoy.origin === "adopted") fate.share();
  const laid = new AdditionBook().collect(engine.releases());
  const mirrors = stack.use(await startMirrors(state, { engine, options }));
  await orAborted(goLive({ engine, target, model, laid, mirrors, addresses, options, envoy }), options.signal);
  // An adopted Envoy may have sent to replicas of an older spec until now.
  letDrain(options, change);

  const applier: ManifestApplier = {
    current: new CurrentMesh(engine, { model, ports, laid }),
    engine,
    target,
    mirrors,
    workloads,
    listenAddress,
    models,
    gatewayPorts: options.gatewayPorts,
    sidecarPorts,
    envoyPid: () => envoy.pid,
    onEvent: (event) => options.onEvent(event),
  };
  return { applier, state, manifests, fate };
}

function checkModel(model: MeshModel, options: UpOptions): void {
  if (model.diagnostics.length > 0) options.onEvent({ kind: "diagnostics", diagnostics: model.diagnostics });
  const count = model.diagnostics.filter(blocksServing).length;
  if (count > 0) {
    throw new KirikaeError("KIR5030", `The manifests in ${options.folder} have ${count} errors; nothing was started.`, {
      exitStatus: 2,
      hint: `Correct them; \`kirikae check ${options.folder}\` shows them with their lines.`,
    });
  }
  checkServed(model.table, options.folder);
}

/** A download that is left alone ends by itself, and cleans up after itself. */
function findBinary(options: UpOptions): ReturnType<typeof findEnvoy> {
  const { envoy, signal } = options;
  const onProgress = (message: string): void => options.onEvent({ kind: "progress", message });
  return orAborted(findEnvoy({ envoy, env: process.env, signal, onProgress }), signal);
}

interface WorkloadParts {
  readonly state: StateFolder;
  readonly registry: ProcessRegistry;
  readonly ports: GatewayPorts;
  readonly options: UpOptions;
  readonly fate: ProcessFate;
}

function startWorkloads(
  { state, registry, ports, options, fate }: WorkloadParts,
  stack: AsyncDisposableStack,
): LocalWorkloads {
  return stack.adopt(
    new LocalWorkloads({
      registry,
      logFolder: state.logs,
      avoidPorts: ports.values(),
      onEvent({ workload, replica, event }) {
        if (event.kind === "started" || event.kind === "adopted") return;
        const message = `workload ${workload} replica ${replica} ended (${event.detail}); it starts again`;
        options.onEvent({ kind: "warning", message });
      },
    }),
    (workloads) => fate.end(workloads),
  );
}

interface TargetParts {
  readonly state: StateFolder;
  readonly options: UpOptions;
  readonly pid: () => number | undefined;
}

async function startTarget(
  { state, options, pid }: TargetParts,
  stack: AsyncDisposableStack,
): Promise<LocalEnvoyTarget> {
  const sockets = socketsOf(state);
  return stack.use(
    await LocalEnvoyTarget.start({
      xdsSocket: sockets.xds,
      proxies: [{ node: nodeName, adminSocket: sockets.admin, proofSocket: sockets.proof, pid }],
      ...showAddresses({ listenAddress, ports: new Map(), endpoints: () => [] }),
      onTrouble: (message) => options.onEvent({ kind: "warning", message }),
    }),
  );
}

function socketsOf(state: StateFolder): Readonly<Record<"xds" | "admin" | "proof" | "copies", string>> {
  return {
    xds: state.socket("xds.sock"),
    admin: state.socket("admin.sock"),
    proof: state.socket("proof.sock"),
    copies: state.socket("copies.sock"),
  };
}

interface EnvoyParts {
  readonly binary: Awaited<ReturnType<typeof findEnvoy>>;
  readonly state: StateFolder;
  readonly registry: ProcessRegistry;
  readonly options: UpOptions;
  readonly fate: ProcessFate;
}

async function startEnvoy(
  { binary, state, registry, options, fate }: EnvoyParts,
  stack: AsyncDisposableStack,
): Promise<EnvoyProcess> {
  const sockets = socketsOf(state);
  return stack.adopt(
    await EnvoyProcess.start({
      binary,
      state,
      registry,
      bootstrap: JSON.stringify(emitBootstrapJson({ node: nodeName, sockets })),
      adminSocket: sockets.admin,
      concurrency: options.concurrency,
      onEvent: (event) => options.onEvent(describeEnvoy(event, binary.version)),
    }),
    (envoy) => fate.end(envoy),
  );
}

type SupervisionEvent = Parameters<NonNullable<Parameters<typeof EnvoyProcess.start>[0]["onEvent"]>>[0];

function describeEnvoy(event: SupervisionEvent, version: string): UpEvent {
  switch (event.kind) {
    case "started":
      return { kind: "envoy", state: "started", detail: `Envoy ${version}, pid ${event.pid}` };
    case "adopted":
      return { kind: "envoy", state: "adopted", detail: `Envoy ${version}, pid ${event.pid}, which ran on` };
    case "exited":
      return { kind: "envoy", state: "exited", detail: `${event.detail}; it starts again in ${event.restartInMs} ms` };
    case "startFailed":
      return { kind: "envoy", state: "restarting", detail: `${event.detail}; next try in ${event.restartInMs} ms` };
  }
}

function startMirrors(
  state: StateFolder,
  { engine, options }: { readonly engine: Engine; readonly options: UpOptions },
): Promise<ComparedMirrors> {
  return ComparedMirrors.start({
    onDefect: warnOfDefect((event) => options.onEvent(event), "comparing a copied request"),
    socketPath: state.socket("comparer.sock"),
    copiesSocket: socketsOf(state).copies,
    engine,
  });
}
