import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { DestinationId, RouteTable } from "../../core/routes/route-table.ts";
import type { ProvedReport } from "../../targets/local-envoy/table-push.ts";
import type { ManifestApplier } from "./apply-manifests.ts";
import { describeRefusal } from "./locate-refusal.ts";

/** What has to be at hand to lay additions over routes. */
export type LayingMesh = Pick<ManifestApplier, "current" | "target" | "mirrors">;

/**
 * Makes these additions, and no others, live on every proxy, with the weights that are live. Nothing is pushed where they are
 * live already. Moves may run meanwhile, manifests and other additions may not. Throws KIR2041 where a new version does not answer, and where a
 * proxy refuses or does not confirm; what was laid before is live again then, as far as proxies confirm it.
 */
export async function layAdditions(mesh: LayingMesh, additions: readonly OwnedAddition[]): Promise<void> {
  const { current, target, mirrors } = mesh;
  if (isLaid(mesh, additions)) return;
  await checkAdded(mesh, additions);
  const table = mirrors.addRoutes(current.table, additions);
  const report = await pushAndProve(target, table);
  if (report.kind === "applied") {
    current.laid = additions;
    mirrors.begin(table);
    return;
  }
  const restored = await target.applyTable(mirrors.addRoutes(current.table, current.laid), undefined);
  const why =
    report.kind === "rejected"
      ? `${report.node} refused ${report.resource}: ${describeRefusal(report.message, report.resource, table)}`
      : report.message;
  // A proxy that is not there gets them when it connects.
  const isRestored = restored.kind === "applied" || restored.kind === "published";
  throw notLaid(`${why}; ${isRestored ? "the routes of before run on" : "the routes of before could not be proved"}`);
}

/** How long a proxy that is not connected may take to come back; one that ended starts again by itself. */
const reconnectTimeoutMs = 10_000;

/** Never `published`: routes that no proxy has shown are not live. */
async function pushAndProve(target: LayingMesh["target"], table: RouteTable): Promise<ProvedReport> {
  const report = await target.applyTable(table, undefined);
  return report.kind === "published" ? await target.confirm({ timeoutMs: reconnectTimeoutMs }) : report;
}

/** A preview of a version that does not answer would show testers an error, and copies would be lost. */
async function checkAdded({ current, target }: LayingMesh, additions: readonly OwnedAddition[]): Promise<void> {
  const known = new Set(current.laid.flatMap(({ addition }) => destinationsOf(addition)));
  const gaining = new Set(additions.flatMap(({ addition }) => destinationsOf(addition)).filter((id) => !known.has(id)));
  if (gaining.size === 0) return;
  const { ok, checks } = await target.checkReady([...gaining]);
  if (ok) return;
  const failed = checks.filter(({ verdict }) => verdict !== "pass").map(({ name, detail }) => `${name}: ${detail}`);
  throw notLaid(failed.join("; "));
}

function destinationsOf(addition: OwnedAddition["addition"]): readonly DestinationId[] {
  return addition.kind === "affinity" ? [] : Object.values(addition.to);
}

function notLaid(why: string): KirikaeError {
  return new KirikaeError("KIR2041", `The routes of the release are not live: ${why}.`, {
    exitStatus: 1,
    hint: "Put right what is named, then retry the release; `kirikae status` shows proxies and endpoints.",
  });
}

/** Whether proxies have these additions and no others, and copies are compared as their releases ask. */
export function isLaid(
  { current, mirrors }: Pick<LayingMesh, "current" | "mirrors">,
  additions: readonly OwnedAddition[],
): boolean {
  // They are made of plain values alone.
  return JSON.stringify(current.laid) === JSON.stringify(additions) && mirrors.isBegun(additions);
}
