import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { isSameShare } from "../../core/release/move/split-weights.ts";
import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../../core/routes/route-table.ts";
import { weightsOf } from "../../core/routes/weights.ts";
import { findForeignOwner } from "../../core/site/foreign-owner.ts";
import { planSiteWrites } from "../../core/site/plan-site-writes.ts";
import { siteAnnotations } from "../../core/site/site-object.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import type { ApiPatience } from "./api-patience.ts";
import { ownRouteNames } from "./own-route-names.ts";
import { readSpec } from "./read-spec.ts";
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
 * The first object whose live weights are not those that the table has said until now; undefined where only other things
 * were written, which the table then knows too.
 */
function findChange(view: SiteView, fresh: readonly KubeObject[]): KubeObject | undefined {
  for (const object of fresh) {
    const known = view.object(kubeKinds.virtualService, {
      namespace: object.metadata.namespace,
      name: object.metadata.name,
    });
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
    const before = weightsFrom(view.table, object);
    view.take(object);
    const now = weightsFrom(view.table, object);
    if (before.size !== now.size) return object;
    for (const [split, weights] of now) if (!isSameShare(before.get(split) ?? {}, weights)) return object;
  }
  return undefined;
}

/** What the rules of one VirtualService say, in its own routes and in those that have it as their delegate. */
function weightsFrom({ httpRoutings }: RouteTable, { metadata }: KubeObject): WeightOverrides {
  const name = `${metadata.namespace ?? ""}/${metadata.name}`;
  const found = new Map<SplitId, SplitWeights>();
  for (const { action, origin } of httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }) => routes),
  )) {
    if (origin.virtualService !== name && origin.delegate !== name) continue;
    if (action.kind === "forward") found.set(action.split.id, weightsOf(action.split));
  }
  return found;
}

interface Hosted {
  readonly hosts: readonly string[];
}

function hostsOf(object: KubeObject): readonly string[] {
  return readSpec<Hosted>(object).hosts ?? [];
}

/** Others with the same hosts, which are not written: their age decides whose routes come first. */
function neighbours(view: SiteView, fresh: ReadonlyMap<string, KubeObject>): readonly KubeObject[] {
  const hosts = new Set([...fresh.values()].flatMap(hostsOf));
  return view
    .objects(kubeKinds.virtualService)
    .filter((object) => !fresh.has(`${object.metadata.namespace}/${object.metadata.name}`))
    .filter((object) => hostsOf(object).some((host) => hosts.has(host)) && ownRouteNames(object).length === 0);
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
