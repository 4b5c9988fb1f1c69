import type { KirikaeError } from "../../core/diagnostics/error.ts";
import { isWayBack, type MovePlan, movedServices } from "../../core/release/move/move.ts";
import { gainingDestinations } from "../../core/release/move/split-weights.ts";
import type { Destination, DestinationId } from "../../core/routes/route-table.ts";
import { complainCallers } from "../../core/site/complain-callers.ts";
import type { Clock, PreflightCheck, PreflightReport } from "../../engine/ports.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { ApiPatience } from "./api-patience.ts";
import { findWaypoints } from "./find-waypoints.ts";
import { findRefusals, refusesRoutes } from "./find-refusals.ts";
import { type ListingParts, readServing } from "./listed-strangers.ts";
import { planRouteWrites, type RouteChange } from "./plan-route-writes.ts";
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

export interface PlanParts extends PreflightParts, ListingParts {
  readonly clock: Clock;
  /** What a write of these weights would say beside them. */
  change(takeOver: readonly string[]): Omit<RouteChange, "weights">;
}

/**
 * Whether every destination that gains weight has ready endpoints, and its Deployments have ended their rollouts, and
 * every proxy takes its routes. For a way back one ready endpoint is enough where it says so, and neither a rollout nor a
 * proxy that refuses its routes is a reason to stay with a version that fails.
 */
export async function checkPlan(plan: MovePlan, parts: PlanParts): Promise<PreflightReport> {
  const { asks, changes, versions } = plan;
  if (asks === "none") return { ok: true, checks: [] };
  const before = [
    await checkProxies(plan, parts),
    ...checkCallers(plan, parts.view),
    ...(await checkWrites(plan, parts)),
  ];
  const ids = new Set(changes.flatMap(({ before, after }) => gainingDestinations(before, after)));
  const gaining = [...ids].map((id) => ({
    id,
    version: versions.find(({ destinations }) => destinations.includes(id))?.name ?? id,
  }));
  const { ok, checks: after } = await checkGaining(gaining, { ...parts, asksRollouts: asks === undefined });
  return { ok: ok && before.every(({ verdict }) => verdict !== "fail"), checks: [...before, ...after] };
}

/** Where nothing could show that the weights are live everywhere, nothing is written. */
async function checkProxies(plan: MovePlan, parts: PlanParts): Promise<PreflightCheck> {
  const services = movedServices(plan);
  const { serving, controlPlane } = await readServing(parts, services);
  const waypoints = await findWaypoints(controlPlane, services);
  const name = "proxies";
  if (waypoints.length > 0)
    return { name, verdict: "fail", detail: `what waypoints use cannot be seen: ${waypoints.join(", ")}` };
  if (serving.length === 0)
    return { name, verdict: "fail", detail: `no gateway or sidecar that istiod knows serves ${services.join(", ")}` };
  const refusals = findRefusals(
    controlPlane,
    serving.map(({ id }) => id),
  );
  if (refusals.length > 0)
    return { name, verdict: isWayBack(plan) ? "unknown" : "fail", detail: describeError(refusesRoutes(refusals)) };
  return { name, verdict: "pass", detail: `${serving.length} serve ${services.join(", ")}` };
}

/** A way back goes to what was live, whatever that was for some. */
function checkCallers(plan: MovePlan, { table }: SiteView): readonly PreflightCheck[] {
  if (isWayBack(plan)) return [];
  const complaint = complainCallers(table, new Map(plan.changes.map(({ split, after }) => [split, after])));
  return complaint === undefined ? [] : [{ name: "callers", verdict: "fail", detail: describeError(complaint) }];
}

/** With its code and what to do, in one line. */
export function describeError({ code, message, hint = "" }: KirikaeError): string {
  return [code, message, hint].join(" ").trimEnd();
}

/** Whether the rules could be written as they are now: who else owns them, and whether they are what was planned on. */
async function checkWrites({ changes, takeOver = [] }: MovePlan, parts: PlanParts): Promise<readonly PreflightCheck[]> {
  const plan = await planRouteWrites(
    {
      weights: new Map(changes.map(({ split, after }) => [split, after])),
      ...parts.change([...takeOver]),
    },
    { ...parts, patience: new ApiPatience(parts.clock) },
  );
  if (plan.kind === "writes") return [];
  return [{ name: plan.resource, verdict: "fail", detail: describeError(plan.error) }];
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
