import { isIP } from "node:net";
import { type EnvoyConfig, type Json, listAt, objectAt } from "./config-dump.ts";
import { findVirtualHosts } from "./resolved-filter-chain.ts";
import { resolveRoute } from "./resolved-route.ts";
import { withoutDefaults } from "./without-defaults.ts";

/** The routes of every HTTP host that a caller inside the mesh knows, by `host:port`. */
export type ResolvedOutbound = Readonly<Record<string, unknown>>;

type NameCluster = (name: string) => string;

/** istiod sends the routes of each port by the name of the port. */
export function resolveIstioOutbound(config: EnvoyConfig, nameCluster: NameCluster): ResolvedOutbound {
  const entries = [...config.routes].flatMap(([name, routes]) => {
    const port = Number(name.split(":").at(-1));
    return Number.isNaN(port) ? [] : resolveHosts(listAt(routes, "virtual_hosts"), port, nameCluster);
  });
  // Two empty tables would agree about nothing.
  if (entries.length === 0) throw new Error("istiod told the caller no routes");
  return sortByKey(entries);
}

/** kirikae has one listener for all ports, and hosts that name their ports. */
export function resolveOutbound(config: EnvoyConfig, port: number, nameCluster: NameCluster): ResolvedOutbound {
  const listener = config.listeners.find(
    (each) => Number(objectAt(objectAt(each, "address"), "socket_address")["port_value"]) === port,
  );
  const filters = listAt(listener ?? {}, "filter_chains").flatMap((chain) => listAt(chain, "filters"));
  const hosts = filters.flatMap((filter) => findVirtualHosts(objectAt(filter, "typed_config"), config));
  return sortByKey(resolveHosts(hosts, 80, nameCluster));
}

function resolveHosts(hosts: readonly Json[], port: number, nameCluster: NameCluster): readonly [string, unknown][] {
  return hosts.flatMap((host) => {
    const routes = listAt(host, "routes").map((route) => resolveRoute(route, nameCluster));
    const resolved = withoutDefaults({ countsAttempts: host["include_request_attempt_count"], routes });
    return ((host["domains"] ?? []) as readonly string[])
      .filter(isCompared)
      .map((domain): [string, unknown] => [/:\d+$/.test(domain) ? domain : `${domain}:${port}`, resolved]);
  });
}

/** Not the fallback, nor addresses, nor a name with the dot of a full one; nor what no case is about. */
function isCompared(domain: string): boolean {
  const name = domain.replace(/:\d+$/, "");
  if (domain === "*" || isIP(name) !== 0 || name.endsWith(".") || name.startsWith("[")) return false;
  return !/^(?:istio-ingressgateway|kubernetes|marker\.kirikae)\b/.test(name);
}

function sortByKey(entries: readonly [string, unknown][]): ResolvedOutbound {
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}
