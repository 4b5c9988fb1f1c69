import { type EmitOptions, encodeEnvoy } from "../../core/envoy/emit-envoy.ts";
import type { RouteTable, WeightOverrides } from "../../core/routes/route-table.ts";
import { withWeights } from "../../core/routes/weights.ts";
import type { ProxyProof } from "../../engine/ports.ts";
import { type ResourceType, resourceTypes } from "../../xds/resource-types.ts";
import type { XdsServer } from "../../xds/server.ts";
import { buildResources, type ResourcesByName, type Snapshot } from "../../xds/snapshot.ts";
import type { ConnectedProxy, ProxySet } from "./proxy-set.ts";
import type { PushedState, Retired, RetiredDestination, SavedState } from "./pushed-state.ts";
import { type Settlement, waitForTypes } from "./settlement.ts";
import { proveRuntime } from "./weight-push.ts";

/** What became of a new route table. */
export type TableReport =
  | { readonly kind: "applied"; readonly callToProofMs: number; readonly proxies: readonly ProxyProof[] }
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

export interface TablePush {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: ProxySet;
  /** Where things are for the new table; used for it alone. */
  readonly emit: EmitOptions;
  readonly deadlineMs: number;
}

type EncodedSnapshot = Readonly<Record<Exclude<ResourceType, "runtime">, ResourcesByName>>;

const restoreTimeoutMs = 5_000;

/**
 * Makes before it breaks: clusters and endpoints are added and warm, then listeners and routes change, then every worker
 * shows that it has them. What the new table lacks is left in `state.retired`, to be removed when nothing uses it.
 */
export async function pushTable(push: TablePush, table: RouteTable, wanted: WeightOverrides): Promise<TableReport> {
  const { state, server } = push;
  const startMs = performance.now();
  const saved = state.save();
  const weighted = withWeights(table, wanted);
  const next = encodeSnapshot(push, weighted);
  const retired = retireMissing(push, next);
  const proxies = push.proxies.named(server.connected);

  const addition: Partial<Snapshot> = {
    secrets: new Map([...retired.secrets, ...next.secrets]),
    clusters: mergeRetired(next.clusters, retired, ({ cluster }) => cluster),
    endpoints: mergeRetired(next.endpoints, retired, ({ endpoints }) => endpoints),
  };
  // The layer stays until all have the new routes: the old ones need it, and those with other arms do not read it. A
  // proxy that starts waits for a layer before anything else.
  state.publishRuntime(state.layer);
  state.publish(addition);
  const added = await settleAdded(push, proxies);
  if (added.kind === "refused") return restoreAfterRefusal(push, saved, added);
  if (added.kind === "waiting") return restoreLate(push, saved, "new clusters were not ready in time");

  state.setTable(table, wanted, push.emit);
  state.rememberRoutes(weighted, next.routes);
  state.publish({ listeners: next.listeners, routes: next.routes });
  const switched = await settle(push, proxies, ["secrets", "listeners", "routes"]);
  if (switched.kind === "refused") return restoreAfterRefusal(push, saved, switched);
  state.retired = retired;
  if (switched.kind === "waiting") {
    return { kind: "unproved", isRestored: false, message: `${switched.node} did not confirm the new routes in time` };
  }
  return finish(push, proxies, startMs);
}

/** Clusters that wait for a secret which was refused would never be warm. */
async function settleAdded(
  push: TablePush,
  proxies: readonly ConnectedProxy[],
): Promise<Settlement | { readonly kind: "settled" }> {
  const added = await settle(push, proxies, ["secrets", "clusters", "endpoints"]);
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
async function finish(push: TablePush, proxies: readonly ConnectedProxy[], startMs: number): Promise<TableReport> {
  push.state.publishRuntime(new Map());
  if (proxies.length === 0) return { kind: "published" };
  const outcome = await proveRuntime({ ...push, proxies, startMs });
  switch (outcome.kind) {
    case "proved":
      return { ...outcome, kind: "applied" };
    case "rejected":
      return { ...outcome, isRestored: false };
    case "unproved":
      return { kind: "unproved", isRestored: false, message: outcome.message };
  }
}

function encodeSnapshot({ state, emit }: TablePush, table: RouteTable): EncodedSnapshot {
  const encoded = encodeEnvoy(table, emit);
  const before = state.snapshot;
  return {
    secrets: buildResources(encoded.secrets, before.secrets),
    clusters: buildResources(encoded.clusters, before.clusters),
    endpoints: buildResources(encoded.endpoints, before.endpoints),
    listeners: buildResources(encoded.listeners, before.listeners),
    routes: buildResources(encoded.routes, before.routes),
  };
}

function retireMissing({ state }: TablePush, next: EncodedSnapshot): Retired {
  const { secrets, clusters, endpoints } = state.snapshot;
  const destinations = new Map<string, RetiredDestination>();
  for (const [name, cluster] of clusters ?? []) {
    if (!next.clusters.has(name)) destinations.set(name, { cluster, endpoints: endpoints?.get(name) });
  }
  return { destinations, secrets: new Map([...(secrets ?? [])].filter(([name]) => !next.secrets.has(name))) };
}

function mergeRetired(
  next: ResourcesByName,
  { destinations }: Retired,
  part: (destination: RetiredDestination) => RetiredDestination["endpoints"],
): ResourcesByName {
  if (destinations.size === 0) return next;
  const merged = new Map(next);
  for (const [name, destination] of destinations) {
    const resource = part(destination);
    if (resource !== undefined) merged.set(name, resource);
  }
  return merged;
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
  const { kind } = await settle({ ...push, deadlineMs }, proxies, resourceTypes);
  return kind === "settled";
}
