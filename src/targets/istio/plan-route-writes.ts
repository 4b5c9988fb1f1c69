import { isDeepStrictEqual } from "node:util";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { RouteTable, SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import { findForeignOwner } from "../../core/site/foreign-owner.ts";
import { httpRules, stripOwnRoutes } from "../../core/site/own-routes.ts";
import { planSiteWrites } from "../../core/site/plan-site-writes.ts";
import { siteAnnotations } from "../../core/site/site-object.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import type { ApiPatience } from "./api-patience.ts";
import { ownRouteNames } from "./own-route-names.ts";
import type { SiteView } from "./site-view.ts";
import { describeObject, type PlannedWrite } from "./write-objects.ts";

export interface RouteChange {
  readonly weights: WeightOverrides;
  /** All that releases have laid when it is done. */
  readonly additions: readonly OwnedAddition[];
  /** Releases whose own routes may be taken away; absent allows none but those of `additions`. */
  readonly releases?: ReadonlySet<string>;
  readonly takeOver: readonly string[];
  readonly movedBy: string;
  readonly movedAt: string;
}

export interface RoutePlanning {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly patience: ApiPatience;
}

export type RoutePlan =
  | { readonly kind: "writes"; readonly writes: readonly PlannedWrite[] }
  | { readonly kind: "refused"; readonly resource: string; readonly error: KirikaeError };

/** Reads what is live, holds it against the table, asks who else owns it, and says what to write; writes nothing. */
export async function planRouteWrites(change: RouteChange, { api, view, patience }: RoutePlanning): Promise<RoutePlan> {
  const names = concernedServices(view, change);
  const fresh = new Map<string, KubeObject>();
  for (const name of names) {
    const object = await patience.ask(() => api.get(kubeKinds.virtualService, splitName(name)));
    if (object !== undefined) fresh.set(name, object);
  }
  const changed = findChange(view, [...fresh.values()]);
  if (changed !== undefined)
    return { kind: "refused", resource: describeObject(changed), error: writtenBetween(changed) };
  const plan = planSiteWrites({
    objects: [...fresh.values(), ...neighbours(view, fresh)],
    table: view.table,
    weights: change.weights,
    additions: change.additions,
    ...(change.releases !== undefined && { releases: change.releases }),
  });
  if (plan.kind === "refused")
    return { ...plan, resource: [...names].map((name) => `VirtualService ${name}`).join(", ") };
  const writes: PlannedWrite[] = [];
  // In the same order each time, so that two who write the same objects meet at the first of them.
  for (const { name, object } of plan.writes.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const before = fresh.get(name);
    if (before === undefined) throw new Error(`${name} is to be written and was not read.`);
    const owner = findForeignOwner(before, { takeOver: change.takeOver });
    if (owner !== undefined)
      return { kind: "refused", resource: describeObject(before), error: foreignOwner(before, owner) };
    writes.push({ kind: kubeKinds.virtualService, before, apply: signed(object, change) });
  }
  return { kind: "writes", writes };
}

/**
 * The first object whose rules are not those that the table was built of; undefined where only other things were written.
 * The view is not told of it: whoever planned on it, and may want it back, has to be refused as well.
 */
function findChange(view: SiteView, fresh: readonly KubeObject[]): KubeObject | undefined {
  for (const object of fresh) {
    const { namespace, name, resourceVersion } = object.metadata;
    const known = view.object(kubeKinds.virtualService, { namespace, name });
    if (known === undefined) return object;
    if (known.metadata.resourceVersion === resourceVersion) continue;
    if (!isDeepStrictEqual(httpRules(stripOwnRoutes(known)), httpRules(stripOwnRoutes(object)))) return object;
  }
  return undefined;
}

/**
 * The others, which are not written: a delegate is found through its root, and age decides whose routes come first. Those
 * with routes of somebody's release are left alone, where nothing here concerns them.
 */
function neighbours(view: SiteView, fresh: ReadonlyMap<string, KubeObject>): readonly KubeObject[] {
  return view
    .objects(kubeKinds.virtualService)
    .filter((object) => !fresh.has(`${object.metadata.namespace}/${object.metadata.name}`))
    .filter((object) => ownRouteNames(object).length === 0);
}

/** The VirtualServices of these splits with their delegates, and those that have, or are to get, routes of kirikae's own. */
function concernedServices(view: SiteView, { weights, additions }: RouteChange): ReadonlySet<string> {
  const splits = new Set([...weights.keys(), ...additions.flatMap(({ addition }) => splitsOf(addition))]);
  const names = new Set<string>(servicesOf(view.table, splits));
  for (const object of view.objects(kubeKinds.virtualService)) {
    if (weights.size === 0 && ownRouteNames(object).length > 0)
      names.add(`${object.metadata.namespace}/${object.metadata.name}`);
  }
  return names;
}

export function splitsOf(addition: OwnedAddition["addition"]): readonly SplitId[] {
  return addition.kind === "affinity" ? addition.splits : Object.keys(addition.to);
}

function servicesOf({ httpRoutings }: RouteTable, splits: ReadonlySet<SplitId>): readonly string[] {
  const names: string[] = [];
  for (const { action, origin } of httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }) => routes),
  )) {
    if (action.kind !== "forward" || !splits.has(action.split.id)) continue;
    names.push(origin.virtualService);
    if (origin.delegate !== undefined) names.push(origin.delegate);
  }
  return names;
}

function signed(object: KubeObject, { movedBy, movedAt }: RouteChange): KubeObject {
  const annotations = {
    ...object.metadata.annotations,
    [siteAnnotations.movedBy]: movedBy,
    [siteAnnotations.movedAt]: movedAt,
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function splitName(name: string): ObjectName {
  const [namespace, rest = ""] = name.split("/");
  return { namespace, name: rest };
}

function writtenBetween(object: KubeObject): KirikaeError {
  return new KirikaeError("KIR4007", `${describeObject(object)} was written in between, so nothing was written.`, {
    exitStatus: 1,
    hint: "Look at what is live now, and plan again.",
  });
}

function foreignOwner(
  object: KubeObject,
  { manager, reason }: { readonly manager: string; readonly reason: string },
): KirikaeError {
  return new KirikaeError(
    "KIR4006",
    `The rules of ${describeObject(object)} belong to ${manager}, because it ${reason}.`,
    {
      exitStatus: 1,
      hint: `Let ${manager} ignore spec.http (\`kirikae gitops ignore\`), then take them over with --take-over ${manager}.`,
      details: { manager },
    },
  );
}
