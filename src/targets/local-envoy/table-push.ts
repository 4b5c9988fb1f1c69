import { derivationOf, deriveMap } from "../../core/envoy/derived-map.ts";
import type { EmitOptions } from "../../core/envoy/emit-envoy.ts";
import type { RouteTable, WeightOverrides } from "../../core/routes/route-table.ts";
import { withWeights } from "../../core/routes/weights.ts";
import type { ProxyProof } from "../../engine/ports.ts";
import { type ResourceType, resourceTypes } from "../../xds/resource-types.ts";
import type { XdsServer } from "../../xds/server.ts";
import type { Resource, ResourcesByName } from "../../xds/snapshot.ts";
import { addedEndpoints, goneInbound, newInbound } from "./inbound-listeners.ts";
import type { ConnectedProxy, ProxySet } from "./proxy-set.ts";
import type { EncodedSnapshot, PushedState, Retired, RetiredDestination, SavedState } from "./pushed-state.ts";
import { type Settlement, waitForTypes } from "./settlement.ts";
import { proveRuntime } from "./weight-push.ts";

/** What became of a new route table. */
export type TableReport =
  | {
      readonly kind: "applied";
      readonly callToProofMs: number;
      /** Of that, what making the resources took. */
      readonly encodeMs: number;
      readonly proxies: readonly ProxyProof[];
    }
  /** No proxy is connected; those that connect get it. */
  | { readonly kind: "published" }
  /** A proxy refused; `isRestored` tells whether every proxy has said that it uses what ran before. */
  | {
      readonly kind: "rejected";
      readonly isRestored: boolean;
      readonly node: string;
      readonly resource: string;
      readonly message: string;
    }
  /** Not confirmed in time. */
  | { readonly kind: "unproved"; readonly isRestored: boolean; readonly message: string };

/** Of a table that proxies were asked for until they showed it. */
export type ProvedReport = Exclude<TableReport, { readonly kind: "published" }>;

export interface TablePush {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: ProxySet;
  /** Where things are for the new table; used for it alone. */
  readonly emit: EmitOptions;
  readonly deadlineMs: number;
}

const restoreTimeoutMs = 5_000;
const addedTypes = ["secrets", "clusters", "endpoints"] as const;

/**
 * Makes before it breaks: listeners before workloads are opened, clusters and endpoints are added and warm, then listeners
 * and routes change, then every worker shows that it has them. What the new table lacks is left in `state.retired`, to be removed when nothing uses it.
 */
export async function pushTable(asked: TablePush, table: RouteTable, wanted: WeightOverrides): Promise<TableReport> {
  const { state, server } = asked;
  const startMs = performance.now();
  const saved = state.save();
  const weighted = withWeights(table, wanted);
  const forms = state.chooseForms(weighted);
  const next = state.encode(weighted, asked.emit, forms);
  const encodeMs = performance.now() - startMs;
  // The time that proxies have begins when there is something to answer; on a busy machine that may be late.
  const push = { ...asked, deadlineMs: asked.deadlineMs + encodeMs };
  const retired = retireMissing(push, next);
  const proxies = push.proxies.named(server.connected);

  const addition: Addition = {
    secrets: retired.secrets.size === 0 ? next.secrets : new Map([...retired.secrets, ...next.secrets]),
    clusters: mergeRetired(next.clusters, retired, { before: saved.snapshot.clusters, part: ({ cluster }) => cluster }),
    endpoints: mergeRetired(next.endpoints, retired, {
      before: saved.snapshot.endpoints,
      part: ({ endpoints }) => endpoints,
    }),
  };
  // The layer stays until all have the new routes: the old ones need it, and those with other arms do not read it. A
  // proxy that starts waits for a layer before anything else.
  state.publishRuntime(state.layer);
  const opened = await openInbound(push, proxies, { saved, addition, listeners: next.listeners });
  if (opened.kind === "refused") return restoreAfterRefusal(push, saved, opened);
  if (opened.kind === "waiting") return restoreLate(push, saved, "listeners before workloads were not ready in time");
  state.publish(addition);
  const isAdding = addedTypes.some((type) => addition[type] !== saved.snapshot[type]);
  const added = isAdding ? await settleAdded(push, proxies) : await settle(push, proxies, addedTypes);
  if (added.kind === "refused") return restoreAfterRefusal(push, saved, added);
  if (added.kind === "waiting") return restoreLate(push, saved, "new clusters were not ready in time");

  state.setTable(table, wanted, { emit: push.emit, forms });
  state.rememberRoutes(weighted, next.routes);
  const { scopes, routes } = next;
  const listeners = deriveMap(next.listeners, retired.listeners);
  state.publish({ listeners, scopes, routes, lingeringRoutes: forms.lingering });
  const switched = await settle(push, proxies, ["secrets", "listeners", "scopes", "routes"]);
  if (switched.kind === "refused") return restoreAfterRefusal(push, saved, switched);
  state.retired = retired;
  if (switched.kind === "waiting") {
    return { kind: "unproved", isRestored: false, message: `${switched.node} did not confirm the new routes in time` };
  }
  return finish(push, proxies, { startMs, encodeMs });
}

type Addition = Pick<EncodedSnapshot, "secrets" | "clusters" | "endpoints">;

/** Opens the listeners that endpoints of the addition will lead to, with what stands behind them. */
async function openInbound(
  push: TablePush,
  proxies: readonly ConnectedProxy[],
  step: { readonly saved: SavedState; readonly addition: Addition; readonly listeners: ResourcesByName },
): Promise<Settlement | { readonly kind: "settled" }> {
  const { saved, addition } = step;
  const before = saved.snapshot.listeners;
  const opening = newInbound(before, step.listeners);
  if (before === undefined || opening.size === 0) return { kind: "settled" };
  push.state.publish({ ...addition, endpoints: addedEndpoints(saved.snapshot, addition.endpoints) });
  const added = await settleAdded(push, proxies);
  if (added.kind !== "settled") return added;
  push.state.publish({ listeners: deriveMap(before, opening) });
  return await settle(push, proxies, ["listeners"]);
}

/** Clusters that wait for a secret which was refused would never be warm. */
async function settleAdded(
  push: TablePush,
  proxies: readonly ConnectedProxy[],
): Promise<Settlement | { readonly kind: "settled" }> {
  const added = await settle(push, proxies, addedTypes);
  if (added.kind !== "settled") return added;
  const isWarm = await push.proxies.waitUntilWarm(proxies, {
    deadlineMs: push.deadlineMs,
    isHopeless: () => proxies.some(({ node }) => push.server.proxyState(node, "secrets")?.refusal !== undefined),
  });
  if (isWarm) return added;
  const [node = ""] = proxies.map((proxy) => proxy.node);
  const refused = await settle(push, proxies, ["secrets"]);
  return refused.kind === "settled" ? { kind: "waiting", node } : refused;
}

/** The routes say it all now, so the layer is emptied; workers get routes and layer in this order. */
async function finish(
  push: TablePush,
  proxies: readonly ConnectedProxy[],
  { startMs, encodeMs }: { readonly startMs: number; readonly encodeMs: number },
): Promise<TableReport> {
  push.state.publishRuntime(new Map());
  if (proxies.length === 0) return { kind: "published" };
  const outcome = await proveRuntime({ ...push, proxies, startMs });
  switch (outcome.kind) {
    case "proved":
      return { ...outcome, kind: "applied", encodeMs };
    case "rejected":
      return { ...outcome, isRestored: false };
    case "unproved":
      return { kind: "unproved", isRestored: false, message: outcome.message };
  }
}

function retireMissing({ state }: TablePush, next: EncodedSnapshot): Retired {
  const { secrets, clusters, endpoints, listeners } = state.snapshot;
  const destinations = new Map<string, RetiredDestination>();
  for (const name of missingFrom(clusters, next.clusters)) {
    const cluster = clusters?.get(name);
    if (cluster !== undefined) destinations.set(name, { cluster, endpoints: endpoints?.get(name) });
  }
  const kept = [...missingFrom(secrets, next.secrets)].flatMap((name) => {
    const secret = secrets?.get(name);
    return secret === undefined ? [] : [[name, secret] as const];
  });
  return { destinations, secrets: new Map(kept), listeners: goneInbound(listeners, next.listeners) };
}

/** Names that were there before and are not any more. */
function missingFrom(before: ResourcesByName | undefined, after: ResourcesByName): readonly string[] {
  if (before === undefined || before === after) return [];
  const derivation = derivationOf(after);
  const names = derivation?.base === before ? derivation.touched : [...before.keys()];
  return names.filter((name) => before.has(name) && !after.has(name));
}

/** What was there before and what is new, together; made of the former, so that only the latter is looked at. */
function mergeRetired(
  next: ResourcesByName,
  { destinations }: Retired,
  old: {
    readonly before: ResourcesByName | undefined;
    part(destination: RetiredDestination): RetiredDestination["endpoints"];
  },
): ResourcesByName {
  if (destinations.size === 0) return next;
  const derivation = derivationOf(next);
  if (old.before !== undefined && derivation?.base === old.before) {
    const fresh = derivation.touched.filter((name) => next.has(name));
    return deriveMap(old.before, new Map(fresh.map((name) => [name, next.get(name)])));
  }
  const changes = new Map<string, Resource>();
  for (const [name, destination] of destinations) {
    const resource = old.part(destination);
    if (resource !== undefined) changes.set(name, resource);
  }
  return deriveMap(next, changes);
}

/** The first refusal, or else whether all have settled. */
async function settle(
  { server, deadlineMs }: TablePush,
  proxies: readonly ConnectedProxy[],
  types: readonly ResourceType[],
): Promise<Settlement | { readonly kind: "settled" }> {
  const all = await Promise.all(proxies.map(({ node }) => waitForTypes(server, node, { types, deadlineMs })));
  return (
    all.find(({ kind }) => kind === "refused") ?? all.find(({ kind }) => kind === "waiting") ?? { kind: "settled" }
  );
}

async function restoreAfterRefusal(
  push: TablePush,
  saved: SavedState,
  refusal: Extract<Settlement, { kind: "refused" }>,
): Promise<TableReport> {
  const isRestored = await restore(push, saved);
  const { node, resource, message } = refusal;
  return { kind: "rejected", isRestored, node, resource, message };
}

async function restoreLate(push: TablePush, saved: SavedState, message: string): Promise<TableReport> {
  return { kind: "unproved", isRestored: await restore(push, saved), message };
}

/**
 * Publishes what ran before. A proxy that took some of the new routes keeps their clusters until it is back on the old
 * ones; see `sendOptions` in ads-stream.ts.
 * @returns whether every proxy has said in time that it is
 */
async function restore(push: TablePush, saved: SavedState): Promise<boolean> {
  push.state.restore(saved);
  const proxies = push.proxies.named(push.server.connected);
  const deadlineMs = performance.now() + restoreTimeoutMs;
  const wait = { types: resourceTypes, deadlineMs, outlastsRefusals: true };
  const all = await Promise.all(proxies.map(({ node }) => waitForTypes(push.server, node, wait)));
  return all.every(({ kind }) => kind === "settled");
}
