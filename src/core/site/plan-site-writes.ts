import type { OwnedAddition } from "../routes/route-addition.ts";
import { splitsOfAddition } from "../routes/add-routes.ts";
import type { RouteTable, SplitId, SplitWeights, WeightOverrides } from "../routes/route-table.ts";
import { noNote, readAddedEntries, renderAddedEntries, type RuleNote } from "./added-entries.ts";
import { complainAdditions } from "./complain-additions.ts";
import { complainOwnRoutes } from "./complain-own-routes.ts";
import { type JsonObject, renderSorted } from "./json-value.ts";
import { type LaidOver, layOwnRoutes, type OwnRoute } from "./lay-own-routes.ts";
import { type LiveRule, LiveRules } from "./live-rules.ts";
import { httpRules, isOwnRule, nameOwnRoute, readOwnRouteName, stripOwnRoutes } from "./own-routes.ts";
import { isRefusal, refuseLive, refuseWrite, type SiteRefusal } from "./refuse-site.ts";
import { renderApply } from "./render-apply.ts";
import { siteAnnotations, type SiteObject } from "./site-object.ts";
import { writeWeights } from "./write-weights.ts";

export interface SiteChange {
  /**
   * VirtualServices as they are live, own routes included; those that are not given are not written. Others with the same
   * hosts should be among them, because their age decides whose routes come first.
   */
  readonly objects: readonly SiteObject[];
  /** Built of them, own routes left out. */
  readonly table: RouteTable;
  readonly weights: WeightOverrides;
  /** All that releases have laid, not only what is new. */
  readonly additions: readonly OwnedAddition[];
  /** Releases (`namespace/name`) whose own routes may be taken away; absent allows all. */
  readonly releases?: ReadonlySet<string>;
}

/** One VirtualService that has to change. */
export interface SiteWrite {
  /** `namespace/name`. */
  readonly name: string;
  /**
   * What to apply, as one field manager: name, resourceVersion, `spec.http` in whole, and the annotation that says what
   * was added. Annotations of whoever moves are the caller's to add.
   */
  readonly object: SiteObject;
}

export type SiteWritePlan = { readonly kind: "writes"; readonly writes: readonly SiteWrite[] } | SiteRefusal;

/**
 * What has to be written so that rules have these weights and exactly these additions lie over them; VirtualServices that
 * say so already are left alone, and writing twice writes the same. Nothing but weights, entries for versions that had
 * none, and routes of kirikae's own changes. Refuses with KIR4020 to KIR4028, and then nothing is to be written.
 */
export function planSiteWrites(change: SiteChange): SiteWritePlan {
  const objects = new Map(
    change.objects.filter(({ kind }) => kind === "VirtualService").map((object) => [nameOf(object), object]),
  );
  const complaint = complainAdditions(change.additions);
  if (complaint !== undefined) return complaint;
  const tasks = gatherTasks(change, objects);
  if (isRefusal(tasks)) return tasks;
  const writes: SiteWrite[] = [];
  for (const [name, object] of objects) {
    const rules = tasks.get(name);
    if (rules === undefined && !httpRules(object).some(isOwnRule)) continue;
    const written = writeObject(object, { rules: rules ?? new Map(), change, objects });
    if (isRefusal(written)) return written;
    if (written !== undefined) writes.push({ name, object: written });
  }
  return { kind: "writes", writes };
}

/** What is to be done with one rule of one object. */
interface RuleTask {
  readonly live: LiveRule;
  /** A rule can have several identities, where it leads elsewhere on another port. */
  readonly weights: (readonly [LiveRule, SplitWeights])[];
  laid: LaidOver;
}

type ObjectTasks = Map<number, RuleTask>;

function gatherTasks(
  { table, weights, additions }: SiteChange,
  objects: ReadonlyMap<string, SiteObject>,
): ReadonlyMap<string, ObjectTasks> | SiteRefusal {
  const stripped = new Map([...objects].map(([name, object]) => [name, stripOwnRoutes(object)]));
  const splits = new Set([...weights.keys(), ...additions.flatMap(({ addition }) => splitsOfAddition(addition))]);
  const found = new LiveRules(stripped, table).find(splits);
  if (isRefusal(found)) return found;
  const tasks = new Map<string, ObjectTasks>();
  const taskOf = (live: LiveRule): RuleTask => {
    const ofObject: ObjectTasks = tasks.get(live.owner) ?? new Map();
    tasks.set(live.owner, ofObject);
    const task = ofObject.get(live.index) ?? { live, weights: [], laid: { previews: [], mirror: undefined } };
    ofObject.set(live.index, task);
    return task;
  };
  for (const [split, wanted] of weights) {
    const live = found.get(split);
    if (live === undefined) return refuseUnknown(split);
    taskOf(live).weights.push([live, wanted]);
  }
  for (const owned of additions) layOnRules(owned, found, { table, taskOf });
  return tasks;
}

/** A rule or a version that is gone is passed over: an addition has no effect there, as in `addRoutes`. */
function layOnRules(
  { addition, release }: OwnedAddition,
  found: ReadonlyMap<SplitId, LiveRule>,
  { table, taskOf }: { readonly table: RouteTable; readonly taskOf: (live: LiveRule) => RuleTask },
): void {
  const done = new Set<RuleTask>();
  for (const split of splitsOfAddition(addition)) {
    const live = found.get(split);
    if (live === undefined || addition.kind === "affinity") continue;
    const task = taskOf(live);
    const to = addition.to[split];
    // Further identities of the same rule are written in the same place.
    if (done.has(task) || to === undefined) continue;
    if (addition.kind === "mirror" && !table.destinations.has(to)) continue;
    done.add(task);
    const laid = { release, to, split: live.split };
    task.laid =
      addition.kind === "preview"
        ? { ...task.laid, previews: [...task.laid.previews, { ...laid, addition }] }
        : { ...task.laid, mirror: { ...laid, addition } };
  }
}

interface ObjectChange {
  readonly rules: ObjectTasks;
  readonly change: SiteChange;
  readonly objects: ReadonlyMap<string, SiteObject>;
}

/** Undefined where the object says it already. */
function writeObject(
  object: SiteObject,
  { rules, change, objects }: ObjectChange,
): SiteObject | SiteRefusal | undefined {
  const foreign = findForeignRoute(object, change);
  if (foreign !== undefined) return foreign;
  const notes = new Map(readAddedEntries(object.metadata.annotations?.[siteAnnotations.added]));
  const own: OwnRoute[] = [];
  const http: JsonObject[] = [];
  for (const [index, before] of httpRules(stripOwnRoutes(object)).entries()) {
    const task = rules.get(index);
    const done = task === undefined ? { rule: before, routes: [] } : changeRule(before, task, { object, notes });
    if (isRefusal(done)) return done;
    for (const route of done.routes) {
      own.push(route);
      http.push({ name: nameOwnRoute(route.of, { n: own.length, route: route.route }), ...route.route });
    }
    http.push(done.rule);
  }
  const annotation = renderAddedEntries(notes);
  if (isSame(http, httpRules(object)) && annotation === object.metadata.annotations?.[siteAnnotations.added]) {
    return undefined;
  }
  const complaint =
    own.length === 0
      ? undefined
      : complainOwnRoutes({ object, http, objects, table: change.table, tasks: [...rules.values()] });
  const annotations = annotation === undefined ? {} : { [siteAnnotations.added]: annotation };
  return complaint ?? renderApply(object, { annotations, spec: { http } });
}

function changeRule(
  before: JsonObject,
  { live, weights, laid }: RuleTask,
  { object, notes }: { readonly object: SiteObject; readonly notes: Map<string, RuleNote> },
): { readonly rule: JsonObject; readonly routes: readonly OwnRoute[] } | SiteRefusal {
  const namespace = object.metadata.namespace ?? "";
  let rule = before;
  for (const [at, [{ split }, wanted]] of weights.entries()) {
    const weighed = writeWeights(rule, { split, weights: wanted, namespace, note: notes.get(live.key) ?? noNote });
    if (weighed.kind === "refused") return weighed;
    if (at > 0 && weighed.rule !== rule) return refuseTwoWeights(live);
    ({ rule } = weighed);
    notes.set(live.key, weighed.note);
  }
  const own = layOwnRoutes(laid, { rule, live, namespace });
  return own.kind === "refused" ? own : { rule, routes: own.routes };
}

/** A release that this kirikae knows nothing of may still need what it has laid. */
function findForeignRoute(object: SiteObject, { releases }: SiteChange): SiteRefusal | undefined {
  if (releases === undefined) return undefined;
  for (const rule of httpRules(object).filter(isOwnRule)) {
    const name = String(rule["name"]);
    const release = readOwnRouteName(name)?.release;
    if (release === undefined || !releases.has(release)) return refuseForeignRoute(nameOf(object), name, release);
  }
  return undefined;
}

function isSame(one: readonly JsonObject[], other: readonly JsonObject[]): boolean {
  return (
    one.length === other.length &&
    one.every((rule, at) => rule === other[at] || renderSorted(rule) === renderSorted(other[at]))
  );
}

function nameOf({ metadata }: SiteObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function refuseUnknown(split: SplitId): SiteRefusal {
  return refuseLive("KIR4020", {
    message: `No live VirtualService has the rule ${split}.`,
    hint: "Somebody has changed it in between: look at it, and plan anew.",
  });
}

function refuseTwoWeights({ owner, key }: LiveRule): SiteRefusal {
  return refuseWrite("KIR4021", {
    message: `The rule ${key} of ${owner} would get two different weights, because it leads elsewhere on another port.`,
    hint: "Give the rule one set of weights, or write the port into its destinations.",
  });
}

function refuseForeignRoute(service: string, name: string, release: string | undefined): SiteRefusal {
  return refuseLive("KIR4027", {
    message: `${service} has the route ${name} of ${release === undefined ? "a release" : `the release ${release}`} that is not known here.`,
    hint: "Another kirikae has laid it: end that release there, or take the route out with kubectl edit if nobody has it any more.",
  });
}
