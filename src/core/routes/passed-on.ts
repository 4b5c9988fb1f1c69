import type { Mesh } from "../mesh/mesh.ts";
import { resolveCallerHost } from "../mesh/resolve-caller-host.ts";
import { hostOf } from "./find-virtual-host.ts";
import { routingOf } from "./listener-parts.ts";
import { passthroughId } from "./outbound-fallback.ts";
import { outboundListenerOf } from "./outbound-listeners.ts";
import type { ProxyId, RouteTable } from "./route-table.ts";

/** What a workload asks for. */
export interface AskedPlace {
  /** With or without a port. */
  readonly authority: string;
  readonly port: number;
  /** Of the workload. */
  readonly namespace: string;
}

/** Whether a workload reaches what the mesh does not know (`outboundTrafficPolicy` ALLOW_ANY). */
export function passesUnknown(table: RouteTable, proxy: ProxyId): boolean {
  const [chain] = outboundListenerOf(table, proxy)?.filterChains ?? [];
  const hosts = chain === undefined ? [] : (routingOf(table, chain)?.virtualHosts ?? []);
  const action = hosts.find(({ domain }) => domain === "*")?.routes[0]?.action;
  return action?.kind === "forward" && action.split.arms.some(({ destination }) => destination === passthroughId);
}

/** Why no rule takes what a workload sends: usually the port is not one of the service. */
export function describePassedOn(mesh: Pick<Mesh, "services">, { authority, port, namespace }: AskedPlace): string {
  const host = hostOf(authority);
  const service = resolveCallerHost(mesh, host, namespace);
  const result = "so that ALLOW_ANY passes it on to the address that the name has, and no rule applies";
  if (service === undefined) return `the mesh knows no service ${host}, ${result}`;
  const known = service.ports.map(({ number }) => number);
  return known.includes(port)
    ? `port ${port} of ${service.host} is not served to this caller in this form, ${result}`
    : `${service.host} has the ports ${known.join(", ") || "none"} and not ${port}, ${result}`;
}
