import type { ServiceStatus } from "../../api/types.ts";
import type { CallToTry } from "../../app-types.ts";
import { routingOf } from "../../core/routes/listener-parts.ts";
import type { RouteTable, VirtualHost } from "../../core/routes/route-table.ts";

/**
 * A request inside the mesh that a movable rule takes, to be copied by whoever looks at `up` for the first time. Hosts
 * that are services at that port come first: a rule also stands for its host at port 80, where nothing may listen.
 */
export function findCallToTry(
  table: RouteTable,
  services: readonly Pick<ServiceStatus, "virtualService">[],
): CallToTry | undefined {
  const movable = new Set(services.map(({ virtualService }) => virtualService));
  const calls = table.listeners
    .filter(({ role }) => role.kind === "outboundHttp")
    .flatMap(({ proxy, filterChains }) =>
      filterChains
        .flatMap((chain) => routingOf(table, chain)?.virtualHosts ?? [])
        .filter(
          ({ domain, routes }) =>
            !domain.startsWith("*") && routes.some(({ origin }) => movable.has(origin.virtualService)),
        )
        .map((host) => ({ from: proxy, host })),
    );
  const best = calls.find(({ host }) => isService(host)) ?? calls[0];
  return best === undefined ? undefined : { from: best.from, url: `http://${shortestName(best.host)}/` };
}

/** Only services have short names. */
function isService({ domain, aliases = [] }: VirtualHost): boolean {
  return aliases.some((alias) => alias.length < domain.length);
}

function shortestName({ domain, aliases = [] }: VirtualHost): string {
  return [...aliases].reduce((short, name) => (name.length < short.length ? name : short), domain);
}
