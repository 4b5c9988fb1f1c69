import { coversHost, isWildcard } from "../core/manifest/host-pattern.ts";
import { routingOf } from "../core/routes/listener-parts.ts";
import type { FilterChain, RouteTable } from "../core/routes/route-table.ts";

/**
 * A host that a gateway server admits and that some rule takes, to be copied by whoever tries it for the first time:
 * where a server admits `*`, most hosts meet 404. Exact names come first; any name will do under a wildcard. Undefined
 * where every host is taken, and where none is.
 */
export function findRoutedHost(
  table: RouteTable,
  { chain, hosts }: { readonly chain: FilterChain; readonly hosts: readonly string[] },
): string | undefined {
  const admitted = hosts.map((host) => host.replace(/^.*\//u, "").toLowerCase());
  const routed = (routingOf(table, chain)?.virtualHosts ?? [])
    .filter(({ routes }) => routes.length > 0)
    .map(({ domain }) => domain.replace(/:\d+$/u, ""))
    .flatMap((domain) => narrowed(domain, admitted));
  return (
    routed.find((host) => !isWildcard(host)) ?? routed.find((host) => host.startsWith("*."))?.replace("*.", "any.")
  );
}

/** What both take, the narrower of the two: a rule for `*` behind a server for `a.test` takes `a.test`. */
function narrowed(domain: string, admitted: readonly string[]): readonly string[] {
  return admitted.flatMap((host) => {
    if (coversHost(host, domain)) return [domain];
    return coversHost(domain, host) ? [host] : [];
  });
}
