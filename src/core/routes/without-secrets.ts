import type { FilterChain, Listener, RouteTable } from "./route-table.ts";
import type { SecretId } from "./route-table-tls.ts";

/**
 * The table without some secrets, which nobody can use: chains that end TLS with one are gone, with what they alone
 * served, so that the others open; destinations that name one as trust trust nobody, and callers' certificates are
 * left out.
 */
export function withoutSecrets(table: RouteTable, unusable: ReadonlySet<SecretId>): RouteTable {
  if (unusable.size === 0) return table;
  const listeners = table.listeners.flatMap((listener) => keepUsable(listener, unusable));
  const served = new Set(
    listeners.flatMap(({ filterChains }) =>
      filterChains.flatMap(({ serves }) => (serves.kind === "http" ? [serves.routing] : [])),
    ),
  );
  return {
    ...table,
    listeners,
    httpRoutings: table.httpRoutings.filter(({ id }) => served.has(id)),
    destinations: new Map(
      [...table.destinations].map(([id, destination]) => {
        const { policy } = destination;
        if (policy.tls?.certificate === undefined || !unusable.has(policy.tls.certificate)) return [id, destination];
        return [id, { ...destination, policy: { ...policy, tls: { ...policy.tls, certificate: undefined } } }];
      }),
    ),
    secrets: new Map([...table.secrets].filter(([id]) => !unusable.has(id))),
  };
}

function keepUsable(listener: Listener, unusable: ReadonlySet<SecretId>): readonly Listener[] {
  const filterChains = listener.filterChains.filter((chain) => !secretsOf(chain).some((id) => unusable.has(id)));
  if (filterChains.length === listener.filterChains.length) return [listener];
  return filterChains.length === 0 ? [] : [{ ...listener, filterChains }];
}

function secretsOf({ tls }: FilterChain): readonly SecretId[] {
  if (tls === undefined) return [];
  return tls.clientCa === undefined ? tls.certificates : [...tls.certificates, tls.clientCa];
}
