import type { UpOptions } from "../../app-types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { EmitOptions } from "../../core/envoy/emit-envoy.ts";
import type { MeshModel } from "../../core/mesh-model.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { RouteTable } from "../../core/routes/route-table.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EnvoyProcess } from "../../local/envoy-process.ts";
import type { LocalEnvoyTarget } from "../../targets/local-envoy/local-envoy-target.ts";
import { endBrokenMoves } from "../end-broken-moves.ts";
import { manifestActor } from "./apply-manifests.ts";
import type { ComparedMirrors } from "./compared-mirrors.ts";
import { observeUnfinished, takeOverPlacements } from "./current-mesh.ts";
import { describeRefusal } from "./locate-refusal.ts";

const confirmTimeoutMs = 30_000;

export interface LiveParts {
  readonly engine: Engine;
  readonly target: LocalEnvoyTarget;
  readonly model: MeshModel;
  /** What an earlier process has laid over the routes for its releases. */
  readonly laid: readonly OwnedAddition[];
  readonly mirrors: ComparedMirrors;
  readonly addresses: EmitOptions;
  readonly options: UpOptions;
  readonly envoy: EnvoyProcess;
}

/**
 * Makes the manifests live, with the weights of earlier moves, and ends moves that a dead process left. The first push
 * keeps what an adopted Envoy shows for unfinished moves, so that the recovery decides about them. Throws KIR5032 where
 * Envoy refuses or does not confirm.
 */
export async function goLive({
  engine,
  target,
  model,
  laid,
  mirrors,
  addresses,
  options,
  envoy,
}: LiveParts): Promise<void> {
  const unfinished = await observeUnfinished(engine, target);
  const taken = takeOverPlacements(engine, model.table, manifestActor);
  const weights = new Map([...taken.weights, ...unfinished]);
  const table = mirrors.addRoutes(model.table, laid);
  checkReport(await target.applyTable(table, weights, { addresses }), table);
  checkReport(await target.confirm({ timeoutMs: confirmTimeoutMs }), table);
  await envoy.whenLive(confirmTimeoutMs);
  mirrors.begin(table);
  taken.record();
  for (const note of taken.notes) options.onEvent({ kind: "warning", message: note });
  await endBrokenMoves({ current: model, engine, onEvent: (event) => options.onEvent(event) });
}

function checkReport(report: Awaited<ReturnType<LocalEnvoyTarget["applyTable"]>>, table: RouteTable): void {
  switch (report.kind) {
    case "applied":
    case "published":
      return;
    case "rejected":
      throw new KirikaeError(
        "KIR5032",
        `Envoy refused ${report.resource}: ${describeRefusal(report.message, report.resource, table)}`,
        { exitStatus: 3, hint: "Correct the manifest that it names; nothing is served until then." },
      );
    case "unproved":
      throw new KirikaeError("KIR5032", `Envoy did not confirm its configuration: ${report.message}.`, {
        exitStatus: 3,
        hint: "Its log is in the state folder, under logs.",
      });
  }
}
