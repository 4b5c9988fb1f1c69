import { lowerAscii } from "./match-request.ts";
import type { FilterChain } from "./route-table.ts";

/** What a proxy sees of a connection before its first request. */
export interface ConnectionStart {
  readonly isTls: boolean;
  /** The name that a TLS client asks for (SNI); undefined for a client that asks for none. */
  readonly serverName: string | undefined;
}

/**
 * The filter chain that takes a connection: the exact server name, then the longest `*.suffix`, then a chain without
 * names. A name that a plain connection cannot have is not matched, and then the chain without names takes it, whatever
 * it expects. Source: Envoy `filter_chain_manager_impl.cc`, findFilterChainForServerName.
 */
export function findFilterChain(
  chains: readonly FilterChain[],
  { isTls, serverName }: ConnectionStart,
): FilterChain | undefined {
  const name = isTls && serverName !== undefined ? lowerAscii(serverName) : "";
  const ranked = chains
    .map((chain) => ({ chain, rank: rankOf(chain, name) }))
    .filter(({ rank }) => rank >= 0)
    .toSorted((one, other) => other.rank - one.rank);
  return ranked[0]?.chain;
}

/** -1 where the chain does not take the name; more for a more specific one. */
function rankOf({ serverNames }: FilterChain, name: string): number {
  if (serverNames.length === 0) return 0;
  return Math.max(-1, ...serverNames.map((pattern) => rankOfName(pattern, name)));
}

function rankOfName(pattern: string, name: string): number {
  if (pattern === name) return Number.POSITIVE_INFINITY;
  const suffix = pattern.startsWith("*") ? pattern.slice(1) : undefined;
  return suffix !== undefined && name.length > suffix.length && name.endsWith(suffix) ? pattern.length : -1;
}
