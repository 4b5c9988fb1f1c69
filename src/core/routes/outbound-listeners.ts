import type { HostName } from "../mesh/mesh.ts";
import type { Listener, ProxyId, RouteTable } from "./route-table.ts";

/** The listener that takes every HTTP request of a workload; undefined for one without a sidecar. */
export function outboundListenerOf(table: Pick<RouteTable, "listeners">, proxy: ProxyId): Listener | undefined {
  return table.listeners.find((listener) => listener.proxy === proxy && listener.role.kind === "outboundHttp");
}

export interface ServiceListener {
  readonly listener: Listener;
  readonly host: HostName;
}

/**
 * The listeners of single services that a workload can use. They belong to all workloads for which the mesh looks the
 * same, and their ids begin with that of the routing that these share.
 */
export function serviceListenersOf(table: Pick<RouteTable, "listeners">, proxy: ProxyId): readonly ServiceListener[] {
  const serves = outboundListenerOf(table, proxy)?.filterChains[0]?.serves;
  if (serves?.kind !== "http") return [];
  return table.listeners.flatMap((listener) =>
    listener.role.kind === "outboundService" && listener.id.startsWith(`${serves.routing}:`)
      ? [{ listener, host: listener.role.host }]
      : [],
  );
}
