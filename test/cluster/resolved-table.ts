import { type EnvoyConfig, type Json, listAt, objectAt } from "./config-dump.ts";
import { resolveCluster } from "./resolved-cluster.ts";
import { resolveFilterChain } from "./resolved-filter-chain.ts";

/**
 * What two Envoys have to have in common: every listener by the gateway's port, its filter chains, for HTTP the routes of
 * each domain in match order, and every cluster that traffic can reach. Names that nobody sees, the way in which routes
 * are delivered, and what the list of intended differences says are left out.
 */
export interface ResolvedTable {
  readonly listeners: Readonly<Record<string, unknown>>;
  readonly clusters: Readonly<Record<string, unknown>>;
}

export interface ResolveOptions {
  /** The gateway's port for a port of this machine; undefined leaves a listener out. */
  readonly servicePortOf: (port: number) => number | undefined;
  /** Whether a cluster of this name leads anywhere. */
  readonly isKnown: (cluster: string) => boolean;
}

/** A share of a route goes to a cluster that does not exist. */
const nowhere = "(no such cluster)";

export function resolveTable(config: EnvoyConfig, options: ResolveOptions): ResolvedTable {
  const reached = new Set<string>();
  const nameCluster = (name: string): string => {
    if (!options.isKnown(name)) return nowhere;
    reached.add(name);
    return name;
  };
  const listeners: Record<string, unknown> = {};
  for (const listener of config.listeners) {
    const servicePort = options.servicePortOf(portOf(listener));
    if (servicePort === undefined) continue;
    listeners[servicePort] = listAt(listener, "filter_chains")
      .map((chain) => resolveFilterChain(chain, config, nameCluster))
      .toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  }
  const clusters = Object.fromEntries(
    [...reached].toSorted().map((name) => [name, resolveCluster(config.clusters.get(name) ?? {}, config)]),
  );
  return { listeners, clusters };
}

function portOf(listener: Json): number {
  return Number(objectAt(objectAt(listener, "address"), "socket_address")["port_value"]);
}
