import { setTimeout as delay } from "node:timers/promises";
import { deriveMap } from "../../core/envoy/derived-map.ts";
import type { XdsServer } from "../../xds/server.ts";
import type { ResourcesByName } from "../../xds/snapshot.ts";
import type { ProxySet } from "./proxy-set.ts";
import { nothingRetired, type PushedState } from "./pushed-state.ts";

export interface Retirement {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: ProxySet;
  readonly drainMs: number;
  readonly drainTimeoutMs: number;
  readonly signal: AbortSignal;
  exclusively(work: () => Promise<void>): Promise<void>;
}

const pollMs = 200;

/**
 * Removes the destinations that no route names any more, once no request is under way to them or the time is up. The time
 * ends requests and never the wait for the new routes: a proxy without them keeps the destinations of the old ones.
 */
export async function removeRetired(retirement: Retirement): Promise<void> {
  const { state, signal } = retirement;
  const deadlineMs = performance.now() + retirement.drainTimeoutMs;
  await pause(retirement.drainMs, signal);
  while (!signal.aborted && performance.now() < deadlineMs && !(await isUnused(retirement))) {
    await pause(pollMs, signal);
  }
  await retirement.exclusively(() => {
    if (!signal.aborted) removeNow(state);
    return Promise.resolve();
  });
}

function without(resources: ResourcesByName | undefined, names: Iterable<string>): ResourcesByName | undefined {
  return resources && deriveMap(resources, new Map([...names].map((name) => [name, undefined])));
}

function removeNow(state: PushedState): void {
  const { secrets, clusters, endpoints, listeners } = state.snapshot;
  const { retired } = state;
  state.retired = nothingRetired;
  state.publish({
    secrets: without(secrets, retired.secrets.keys()),
    clusters: without(clusters, retired.destinations.keys()),
    endpoints: without(endpoints, retired.destinations.keys()),
    listeners: without(listeners, retired.listeners.keys()),
    withholdsRemovals: false,
  });
}

/**
 * `upstream_rq_active` at 0 is the proof that a destination is drained; a pending request has not got that far. A proxy
 * that is away, or has not taken the new routes, may still send requests there.
 */
async function isUnused({ server, state, proxies }: Retirement): Promise<boolean> {
  const haveLeft = proxies.all.every(({ node }) => server.hasAckedAll(node, "routes"));
  if (!haveLeft) return false;
  const { destinations } = state.retired;
  if (destinations.size === 0) return true;
  const busy = await proxies.ask(({ admin }) =>
    admin.stats("^cluster\\.(out|in)bound\\|.*\\.upstream_rq_(active|pending_active)$", {
      usedOnly: true,
      type: "Gauges",
    }),
  );
  // One that does not answer may be at work on requests all the same.
  if (busy.length < proxies.all.length) return false;
  return busy.every((stats) =>
    [...destinations.keys()].every((name) =>
      ["active", "pending_active"].every((kind) => (stats.get(`cluster.${name}.upstream_rq_${kind}`) ?? 0) === 0),
    ),
  );
}

/** Returns early when the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
