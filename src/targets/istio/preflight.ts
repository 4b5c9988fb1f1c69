import type { MovePlan } from "../../core/release/move/move.ts";
import { gainingDestinations } from "../../core/release/move/split-weights.ts";
import type { Destination, DestinationId } from "../../core/routes/route-table.ts";
import type { PreflightCheck, PreflightReport } from "../../engine/ports.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { checkRollouts } from "./check-rollouts.ts";
import type { SiteView } from "./site-view.ts";

interface Gaining {
  readonly id: DestinationId;
  /** As the plan calls it. */
  readonly version: string;
}

export interface PreflightParts {
  readonly api: KubeApi;
  readonly view: SiteView;
}

/**
 * Whether every destination that gains weight has ready endpoints, and its Deployments have ended their rollouts. For a
 * way back that asks for any endpoint, one is enough and a rollout is no reason to stay with a version that fails.
 */
export async function checkPlan(plan: MovePlan, parts: PreflightParts): Promise<PreflightReport> {
  const { asks, changes, versions } = plan;
  if (asks === "none") return { ok: true, checks: [] };
  const ids = new Set(changes.flatMap(({ before, after }) => gainingDestinations(before, after)));
  const gaining = [...ids].map((id) => ({
    id,
    version: versions.find(({ destinations }) => destinations.includes(id))?.name ?? id,
  }));
  return await checkGaining(gaining, { ...parts, asksRollouts: asks === undefined });
}

/** What cannot be known, such as whether names outside of the mesh lead anywhere, is no reason to stay. */
export async function checkGaining(
  gaining: readonly Gaining[],
  { asksRollouts = true, ...parts }: PreflightParts & { readonly asksRollouts?: boolean },
): Promise<PreflightReport> {
  const checks: PreflightCheck[] = [];
  for (const { id, version } of gaining) {
    const destination = parts.view.table.destinations.get(id);
    checks.push(checkEndpoints({ id, version }, destination));
    if (destination !== undefined && asksRollouts) checks.push(...(await checkRollouts(parts, destination)));
  }
  const byName = [...new Map(checks.map((check) => [`${check.name} ${check.detail}`, check])).values()];
  return { ok: byName.every(({ verdict }) => verdict !== "fail"), checks: byName };
}

/** The table holds those endpoints of an EndpointSlice that are ready, and all addresses of a ServiceEntry. */
function checkEndpoints({ id, version }: Gaining, destination: Destination | undefined): PreflightCheck {
  const name = `endpoints of ${version}`;
  if (destination === undefined) return { name, verdict: "fail", detail: `${id} is not declared` };
  const { resolution, endpoints } = destination;
  if (resolution !== "static") {
    return { name, verdict: "unknown", detail: `${id} is looked up by the proxies themselves` };
  }
  if (endpoints.length === 0) return { name, verdict: "fail", detail: `${id} has no ready endpoint` };
  return { name, verdict: "pass", detail: `${endpoints.length} ready` };
}
