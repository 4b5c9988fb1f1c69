import type { UpEvent } from "../../app-types.ts";
import { blocksServing, type Diagnostic } from "../../core/diagnostics/diagnostic.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { renderPosition } from "../../core/diagnostics/position.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { RouteTable, WeightOverrides } from "../../core/routes/route-table.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ManifestSet } from "../../local/manifest-folder.ts";
import type { SidecarPorts } from "../../local/sidecar-ports.ts";
import type { LocalWorkloads, WorkloadChange } from "../../local/workloads.ts";
import type { LocalEnvoyTarget } from "../../targets/local-envoy/local-envoy-target.ts";
import type { TableReport } from "../../targets/local-envoy/table-push.ts";
import type { ComparedMirrors } from "./compared-mirrors.ts";
import { checkServed } from "./check-served.ts";
import { type CurrentMesh, takeOverPlacements } from "./current-mesh.ts";
import { endBrokenMoves } from "../end-broken-moves.ts";
import { showAddresses } from "./local-addresses.ts";
import { describeRefusal } from "./locate-refusal.ts";
import { planPorts } from "./plan-ports.ts";
import { tellWorkloads } from "./sidecars.ts";
import type { ManifestModels } from "./manifest-models.ts";
import type { MeshModel } from "../../core/mesh-model.ts";

export interface ManifestApplier {
  readonly current: CurrentMesh;
  readonly engine: Engine;
  readonly target: LocalEnvoyTarget;
  readonly mirrors: ComparedMirrors;
  readonly workloads: LocalWorkloads;
  readonly listenAddress: string;
  readonly models: ManifestModels;
  readonly gatewayPorts: readonly string[];
  readonly sidecarPorts: SidecarPorts;
  envoyPid(): number | undefined;
  onEvent(event: UpEvent): void;
}

/** Whose doing a saved manifest is, in the history. */
export const manifestActor = "manifest";

/**
 * Makes saved manifests live: checked first, then new workloads, then an ordered push, then the old workloads go. What
 * is wrong at any of these changes nothing, and is reported. What takes a look at the mesh as a whole, and keeps nothing
 * from being served, comes when they are live.
 * @param additions what releases have laid over the routes, which they keep
 * @returns why it was refused, one line each; empty when it is live
 */
export async function applyManifests(
  applier: ManifestApplier,
  manifests: ManifestSet,
  additions: () => readonly OwnedAddition[],
): Promise<readonly string[]> {
  const { models } = applier;
  const model = await models.readServable(manifests);
  const errors = model.diagnostics.filter(blocksServing);
  if (errors.length > 0) {
    const reason = `${errors.length} error${errors.length === 1 ? "" : "s"} in the manifests`;
    return refuse(applier, reason, (await models.readWhole(manifests)).diagnostics);
  }
  let outcome: Outcome;
  try {
    await endBrokenMoves(applier);
    outcome = await applyModel(applier, model, additions);
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    outcome = { kind: "refused", reason: `${error.code} ${error.message}` };
  }
  const { diagnostics } = await models.readWhole(manifests);
  if (outcome.kind === "refused") return refuse(applier, outcome.reason, diagnostics);
  applier.onEvent({ kind: "manifestsApplied", summary: outcome.summary, diagnostics });
  return [];
}

type Outcome =
  | { readonly kind: "applied"; readonly summary: string }
  | { readonly kind: "refused"; readonly reason: string };

async function applyModel(
  applier: ManifestApplier,
  model: MeshModel,
  additions: () => readonly OwnedAddition[],
): Promise<Outcome> {
  const { current, workloads, target } = applier;
  checkServed(model.table, "the folder", current.table);
  const envoyPid = applier.envoyPid();
  const ports = await planPorts(model.table.listeners, {
    ...applier,
    overrides: applier.gatewayPorts,
    ownPids: envoyPid === undefined ? [] : [envoyPid],
    previous: current.ports,
  });
  const environments = tellWorkloads({ ...applier, ...model, ports }, process.env);
  const change = await workloads.prepare(model.mesh.localWorkloads.values(), environments);
  const taken = takeOverPlacements(applier.engine, model.table, manifestActor);
  // They stay true after the commit: the change then is what runs.
  const addresses = showAddresses({ ...applier, ports, endpoints: (name) => change.endpoints(name) });
  // A release that the manifest takes something from is stopped when the manifest is live, and keeps what is left.
  const laid = additions();
  const table = applier.mirrors.addRoutes(model.table, laid);
  const report = await target.applyTable(table, taken.weights, { addresses });
  if (!isLive(report)) {
    return { kind: "refused", reason: await takeBack(applier, { change, report, refused: table }) };
  }
  taken.record();
  current.laid = laid;
  applier.mirrors.begin(table);
  current.model = model;
  current.ports = ports;
  letDrain(applier, change);
  for (const problem of change.problems) {
    applier.onEvent({ kind: "warning", message: `workload ${problem.workload}: ${problem.reason}` });
  }
  return { kind: "applied", summary: [summarize(model, report), ...taken.notes].join("; ") };
}

/** Old replicas end when their last request has; moves and other manifests do not wait for that. */
export function letDrain({ onEvent }: Pick<ManifestApplier, "onEvent">, change: WorkloadChange): void {
  change.commit().catch((error: unknown) => {
    onEvent({ kind: "warning", message: `an old replica could not be ended: ${String(error)}` });
  });
}

function isLive(report: TableReport): boolean {
  return report.kind === "applied" || report.kind === "published";
}

/** The proxies have what they had before, or get it again; so the workloads of before stay too. */
async function takeBack(
  applier: ManifestApplier,
  { change, report, refused }: { change: WorkloadChange; report: TableReport; refused: RouteTable },
): Promise<string> {
  const { current, engine, target, workloads } = applier;
  const { ports } = current;
  const addresses = showAddresses({ ...applier, ports, endpoints: (name) => workloads.endpoints(name) });
  const weights: WeightOverrides = engine.placements();
  const restored = await target.applyTable(applier.mirrors.addRoutes(current.table, current.laid), weights, {
    addresses,
  });
  await change.abandon();
  const outcome = isLive(restored) ? "what ran before runs on" : `and what ran before could not be proved either`;
  switch (report.kind) {
    case "rejected":
      return `${report.node} refused ${report.resource} (${describeRefusal(report.message, report.resource, refused)}); ${outcome}`;
    case "unproved":
      return `${report.message}; ${outcome}`;
    case "applied":
    case "published":
      return outcome;
  }
}

function refuse(applier: ManifestApplier, reason: string, diagnostics: readonly Diagnostic[]): readonly string[] {
  applier.onEvent({ kind: "manifestsRefused", reason, diagnostics });
  const errors = diagnostics.filter(({ level }) => level === "error");
  return [reason, ...errors.map(renderLine)];
}

/** `file:line:col CODE message`, the form that fits a line of a status. */
function renderLine({ at, code, message }: Diagnostic): string {
  return at === undefined ? `${code} ${message}` : `${renderPosition(at)} ${code} ${message}`;
}

function summarize(model: MeshModel, report: TableReport): string {
  const hosts = model.table.httpRoutings.reduce((sum, { virtualHosts }) => sum + virtualHosts.length, 0);
  const time = report.kind === "applied" ? ` in ${report.callToProofMs.toFixed(1)} ms` : "";
  return `${hosts} virtual host${hosts === 1 ? "" : "s"} live${time}`;
}
