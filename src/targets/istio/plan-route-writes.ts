import { isDeepStrictEqual } from "node:util";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { SplitId, WeightOverrides } from "../../core/routes/route-table.ts";
import { findForeignOwner, trafficControllers } from "../../core/site/foreign-owner.ts";
import { httpRules, stripOwnRoutes } from "../../core/site/own-routes.ts";
import { planSiteWrites } from "../../core/site/plan-site-writes.ts";
import { siteAnnotations } from "../../core/site/site-object.ts";
import { findTrafficTool } from "../../core/site/traffic-tool.ts";
import { findWrittenElsewhere, findWrittenObjects, type WrittenObject } from "../../core/site/written-objects.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import type { ApiPatience } from "./api-patience.ts";
import { ownReleases, ownRouteNames } from "../../core/site/own-route-names.ts";
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
  /** Whether rules are written in the namespace of their VirtualService only; absent also in delegates elsewhere. */
  readonly isConfined?: boolean;
  /** VirtualServices (`namespace/name`) that are not written for additions, because what was laid there was taken out. */
  readonly leaves?: ReadonlySet<string>;
}

export interface RoutePlanning {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly patience: ApiPatience;
}

export type RoutePlan =
  /** `live` are the objects that say what is asked for once these are written; those that said it before are among them. */
  | { readonly kind: "writes"; readonly writes: readonly PlannedWrite[]; readonly live: readonly KubeObject[] }
  | { readonly kind: "refused"; readonly resource: string; readonly error: KirikaeError };

/** Reads what is live, holds it against the table, asks who else owns it, and says what to write; writes nothing. */
export async function planRouteWrites(all: RouteChange, { api, view, patience }: RoutePlanning): Promise<RoutePlan> {
  const change = narrow(all, view);
  const moved = change.isConfined === true ? findWrittenObjects(view.table, new Set(change.weights.keys())) : [];
  const elsewhere = findWrittenElsewhere(moved);
  if (elsewhere !== undefined)
    return { kind: "refused", resource: `VirtualService ${elsewhere.writtenIn}`, error: handedOver(elsewhere) };
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
    const owner = findForeignOwner(before, change) ?? findTrafficTool(before, destinationsOf(view), change);
    if (owner !== undefined)
      return { kind: "refused", resource: describeObject(before), error: foreignOwner(before, owner) };
    writes.push({ kind: kubeKinds.virtualService, before, apply: signed(object, change) });
  }
  return { kind: "writes", writes, live: [...fresh.values()] };
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

/**
 * Without the additions that are not to be written: where weights move, those that lie over other objects, so that what
 * cannot be laid there any more keeps nobody else's traffic from moving; those over rules that are somebody else's by now;
 * and those in objects that are left as they are.
 */
export function narrow<Change extends Pick<RouteChange, "weights" | "additions" | "isConfined" | "leaves">>(
  change: Change,
  view: SiteView,
): Change {
  const written = writtenBy(view, change);
  const moved = new Set(written.filter(({ split }) => change.weights.has(split)).map(({ writtenIn }) => writtenIn));
  const outside = written.filter(
    (each) =>
      (moved.size > 0 && !moved.has(each.writtenIn)) ||
      change.leaves?.has(each.writtenIn) === true ||
      (change.isConfined === true && findWrittenElsewhere([each]) !== undefined),
  );
  const left = new Set(outside.map(({ split }) => split).filter((split) => !change.weights.has(split)));
  return left.size === 0 ? change : { ...change, additions: change.additions.flatMap((each) => leaveOut(each, left)) };
}

function leaveOut(owned: OwnedAddition, left: ReadonlySet<SplitId>): readonly OwnedAddition[] {
  const { addition } = owned;
  if (!splitsOf(addition).some((split) => left.has(split))) return [owned];
  if (addition.kind === "affinity") {
    const splits = addition.splits.filter((split) => !left.has(split));
    return splits.length === 0 ? [] : [{ ...owned, addition: { ...addition, splits } }];
  }
  const to = Object.fromEntries(Object.entries(addition.to).filter(([split]) => !left.has(split)));
  return Object.keys(to).length === 0 ? [] : [{ ...owned, addition: { ...addition, to } }];
}

function writtenBy(view: SiteView, change: Pick<RouteChange, "weights" | "additions">): readonly WrittenObject[] {
  return findWrittenObjects(view.table, movedSplits(change));
}

function movedSplits({ weights, additions }: Pick<RouteChange, "weights" | "additions">): ReadonlySet<SplitId> {
  return new Set([...weights.keys(), ...additions.flatMap(({ addition }) => splitsOf(addition))]);
}

/** The VirtualServices of these splits with their delegates, and those that have, or are to get, routes of kirikae's own. */
function concernedServices(view: SiteView, change: RouteChange): ReadonlySet<string> {
  const written = writtenBy(view, change);
  const names = new Set(written.flatMap(({ virtualService, writtenIn }) => [virtualService, writtenIn]));
  for (const object of view.objects(kubeKinds.virtualService)) {
    if (change.leaves?.has(`${object.metadata.namespace}/${object.metadata.name}`) === true) continue;
    if (change.weights.size === 0 && ownReleases(object).some((release) => isCleared(release, { object, change })))
      names.add(`${object.metadata.namespace}/${object.metadata.name}`);
  }
  return names;
}

/**
 * Whether routes of this release are to go from the object, or to stay as they are wanted. Anybody can give a rule such a
 * name, and what somebody else's release has laid elsewhere keeps nobody's from being laid.
 */
function isCleared(
  release: string,
  { object, change }: { readonly object: KubeObject; readonly change: RouteChange },
): boolean {
  const { releases, additions, isConfined } = change;
  if (isConfined === true && !release.startsWith(`${object.metadata.namespace}/`)) return false;
  return releases?.has(release) === true || additions.some((each) => each.release === release);
}

export function splitsOf(addition: OwnedAddition["addition"]): readonly SplitId[] {
  return addition.kind === "affinity" ? addition.splits : Object.keys(addition.to);
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

function destinationsOf(view: SiteView): readonly KubeObject[] {
  return [...view.objects(kubeKinds.destinationRule), ...view.objects(kubeKinds.service)];
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
      hint: `${trafficControllers.includes(manager) ? "End what it does for this app first (docs/guide/side-by-side.md)" : `Let ${manager} ignore spec.http (\`kirikae gitops ignore\`)`}, then take them over with --take-over ${manager}.`,
      details: { manager },
    },
  );
}

function handedOver({ virtualService, writtenIn }: WrittenObject): KirikaeError {
  return new KirikaeError("KIR4072", `${virtualService} hands its rules over to ${writtenIn}, in another namespace.`, {
    exitStatus: 2,
    hint: "Release them from there, or start the controller with --allow-other-namespaces if all who may create Releases may move the routes of all namespaces.",
  });
}
