import { KirikaeError } from "../../core/diagnostics/error.ts";
import { nameDestination } from "../../core/routes/name-destination.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import type { DestinationId, RouteTable } from "../../core/routes/route-table.ts";
import type { ApplyOptions, ApplyReport } from "../../engine/ports.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { ApiPatience } from "./api-patience.ts";
import { carryOutRoutes, type RouteParts } from "./carry-out-routes.ts";
import { findRefusals, refusesRoutes } from "./find-refusals.ts";
import { readServing } from "./listed-strangers.ts";
import { findServices } from "./needed-proxies.ts";
import { ownRouteNames } from "../../core/site/own-route-names.ts";
import { planRouteWrites, type RouteChange, splitsOf } from "./plan-route-writes.ts";
import { checkGaining, describeError } from "./preflight.ts";
import { ownRouteEvidence } from "./route-evidence.ts";

export interface Laying extends Omit<RouteChange, "weights"> {
  /** What was laid before. */
  readonly laid: readonly OwnedAddition[];
  readonly options: ApplyOptions;
}

/**
 * Makes exactly these additions live, by the same writes and the same proof as weights.
 * @throws KirikaeError KIR4041 where they are not live; what was laid before is then, as far as proxies show it
 */
export async function layAdditions(parts: RouteParts, { laid, options, ...laying }: Laying): Promise<void> {
  await checkAdded(parts, laying.additions, laid);
  const change: RouteChange = { ...laying, weights: new Map() };
  const before = liveNames(parts);
  const wanted = await plannedNames(parts, change);
  // Where nothing is laid, and nothing was, no proxy has to show anything.
  if (wanted.size === 0) return;
  if (options.isWayBack !== true) await checkRefusals(parts, [...wanted.keys()]);
  const report = await carryOutRoutes(parts, {
    calledMs: parts.clock.nowMs(),
    change,
    evidence: ownRouteEvidence(wanted),
    evidenceBefore: ownRouteEvidence(new Map([...wanted.keys()].map((name) => [name, before.get(name) ?? []]))),
    services: [...wanted.keys()],
    takesBackUnproved: true,
    apply: options,
  });
  if (report.kind !== "proved") throw notLaid(describe(report));
}

/** What a proxy would refuse is not written: others would show it until it is taken back. */
async function checkRefusals(parts: RouteParts, services: readonly string[]): Promise<void> {
  const patience = new ApiPatience(parts.clock);
  const { serving, controlPlane } = await patience.ask(() => readServing(parts, services));
  const refusals = findRefusals(
    controlPlane,
    serving.map(({ id }) => id),
  );
  if (refusals.length > 0) throw notLaid(describeError(refusesRoutes(refusals)).replace(/\.$/u, ""));
}

function describe(report: Exclude<ApplyReport, { readonly kind: "proved" }>): string {
  return report.kind === "rejected" ? `${report.node} refused ${report.resource}: ${report.message}` : report.message;
}

/** The names that proxies are to show, by the VirtualService that they say: of a delegate's rules that is its root. */
async function plannedNames(parts: RouteParts, change: RouteChange): Promise<ReadonlyMap<string, readonly string[]>> {
  const { api, view, clock } = parts;
  const plan = await planRouteWrites(change, { api, view, patience: new ApiPatience(clock) });
  if (plan.kind === "refused") throw notLaid(plan.error.message);
  const splits = new Set(change.additions.flatMap(({ addition }) => splitsOf(addition)));
  const live = new Map(view.objects(kubeKinds.virtualService).map((object) => [keyOf(object), object]));
  for (const { apply } of plan.writes) live.set(keyOf(apply), apply);
  const written = plan.writes.map(({ apply }) => keyOf(apply));
  return namesByRoot(view.table, live, [...findServices(view.table, splits), ...written]);
}

function liveNames({ view }: RouteParts): ReadonlyMap<string, readonly string[]> {
  const live = new Map(view.objects(kubeKinds.virtualService).map((object) => [keyOf(object), object]));
  return namesByRoot(view.table, live, [...live.keys()]);
}

function namesByRoot(
  table: RouteTable,
  objects: ReadonlyMap<string, KubeObject>,
  services: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, Set<string>>();
  for (const { origin } of table.httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }) => routes),
  )) {
    const of = parts.get(origin.virtualService) ?? new Set([origin.virtualService]);
    parts.set(origin.virtualService, of);
    if (origin.delegate !== undefined) of.add(origin.delegate);
  }
  const concerned = new Set(services);
  const names = new Map<string, readonly string[]>();
  for (const [root, all] of parts) {
    if (![...all].some((name) => concerned.has(name))) continue;
    names.set(
      root,
      [...all].flatMap((name) => objectNames(objects.get(name))),
    );
  }
  return names;
}

function objectNames(object: KubeObject | undefined): readonly string[] {
  return object === undefined ? [] : ownRouteNames(object);
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** A preview of a version that does not answer would show testers an error, and copies would be lost. */
async function checkAdded(
  parts: RouteParts,
  additions: readonly OwnedAddition[],
  laid: readonly OwnedAddition[],
): Promise<void> {
  const known = new Set(laid.flatMap(({ addition }) => destinationsOf(addition)));
  const fresh = additions.flatMap(({ addition }) => destinationsOf(addition)).filter((id) => !known.has(id));
  const gaining = [...new Set(fresh)].map((id) => ({
    id,
    version: nameDestination(id).subset ?? nameDestination(id).host,
  }));
  const { ok, checks } = await checkGaining(gaining, parts);
  if (ok) return;
  const failed = checks.filter(({ verdict }) => verdict === "fail").map(({ name, detail }) => `${name}: ${detail}`);
  throw notLaid(failed.join("; "));
}

function destinationsOf(addition: OwnedAddition["addition"]): readonly DestinationId[] {
  return addition.kind === "affinity" ? [] : Object.values(addition.to);
}

function notLaid(why: string): KirikaeError {
  return new KirikaeError("KIR4041", `The routes of the release are not live: ${why}.`, {
    exitStatus: 1,
    hint: "Put right what is named, then retry the release; `kirikae status` shows proxies and endpoints.",
  });
}
