import type { FilterChain, Listener, RouteTable } from "../core/routes/route-table.ts";
import { usageError } from "./usage-error.ts";

/** Which part of a route table is meant: a gateway's, a caller's, or everything. */
export interface ProxyChoice {
  /** `namespace/name` of a Gateway. */
  readonly gateway?: string | undefined;
  /** `namespace/workload` of a caller with a sidecar. */
  readonly from?: string | undefined;
  /** The port as manifests name it. */
  readonly port?: number | undefined;
}

/** A listener with those of its filter chains that are meant. */
export interface ChosenListener {
  readonly listener: Listener;
  readonly filterChains: readonly FilterChain[];
}

/**
 * The listeners and filter chains that a choice means, in the order of the table.
 * @throws KirikaeError KIR5057 for a gateway or caller that the table does not have, with those that it has.
 */
export function selectProxies(table: RouteTable, choice: ProxyChoice): readonly ChosenListener[] {
  if (choice.gateway !== undefined && choice.from !== undefined) {
    throw usageError("--gateway and --from exclude each other.", "Ask for a gateway's table or for a caller's.");
  }
  const chosen = table.listeners.map((listener) => ({ listener, filterChains: chainsOf(listener, choice) }));
  const found = chosen.filter(({ filterChains }) => filterChains.length > 0);
  if (found.length === 0 && choice.gateway !== undefined) throw unknownGateway(table, choice.gateway);
  if (choice.from !== undefined) requireSidecar(table, choice.from);
  return found.filter(({ listener }) => choice.port === undefined || listener.port === choice.port);
}

/**
 * A caller without a sidecar meets no rule, as in Istio, so that no table could be the true answer for it.
 * @throws KirikaeError KIR5057 with the workloads that have one
 */
export function requireSidecar(table: RouteTable, workload: string): void {
  if (table.proxies.get(workload)?.kind !== "sidecar") throw unknownCaller(table, workload);
}

function chainsOf(listener: Listener, { gateway, from }: ProxyChoice): readonly FilterChain[] {
  if (from !== undefined) return listener.proxy === from ? listener.filterChains : [];
  if (gateway === undefined) return listener.filterChains;
  return listener.filterChains.filter(({ servers }) => servers.some((server) => server.gateway === gateway));
}

function unknownCaller(table: RouteTable, asked: string): Error {
  const known = [...table.proxies.values()].filter(({ kind }) => kind === "sidecar").map(({ id }) => id);
  const list = known.length === 0 ? "No workload here has one." : `Those with one: ${listSome(known)}.`;
  return usageError(
    `No workload ${JSON.stringify(asked)} has a sidecar, so no rule applies to what it sends.`,
    `${list} The label istio-injection: enabled of a Namespace gives one to its workloads.`,
  );
}

function unknownGateway(table: RouteTable, asked: string): Error {
  const servers = table.listeners.flatMap(({ filterChains }) => filterChains.flatMap((chain) => chain.servers));
  const known = [...new Set(servers.map(({ gateway }) => gateway))];
  const list = known.length === 0 ? "No Gateway is served." : `Those that are: ${listSome(known)}.`;
  return usageError(`No Gateway ${JSON.stringify(asked)} is served.`, `${list} Write it as namespace/name.`);
}

function listSome(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}
