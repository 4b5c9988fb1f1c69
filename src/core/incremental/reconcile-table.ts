import type { Destination, DestinationId, HttpRouting, RouteTable, VirtualHost } from "../routes/route-table.ts";
import { isDeepEqual } from "./deep-equal.ts";

/**
 * The table, made of the parts of the one before wherever the two say the same: whoever has dealt with a part that is the
 * same object need not look at it again.
 */
export function reconcileTable(before: RouteTable, after: RouteTable): RouteTable {
  const routings = new Map(before.httpRoutings.map((routing) => [routing.id, routing]));
  return {
    ...after,
    proxies: keepEqual(before.proxies, after.proxies),
    listeners: keepEqual(before.listeners, after.listeners),
    httpRoutings: keepList(
      before.httpRoutings,
      after.httpRoutings.map((routing) => reconcileRouting(routings.get(routing.id), routing)),
    ),
    destinations: reconcileDestinations(before.destinations, after.destinations),
    secrets: keepEqual(before.secrets, after.secrets),
    ...(after.unserved === undefined ? {} : { unserved: keepEqual(before.unserved ?? [], after.unserved) }),
  };
}

function reconcileRouting(before: HttpRouting | undefined, after: HttpRouting): HttpRouting {
  if (before === undefined) return after;
  const hosts = new Map(before.virtualHosts.map((host) => [host.domain, host]));
  const virtualHosts = keepList(
    before.virtualHosts,
    after.virtualHosts.map((host) => keepEqual<VirtualHost>(hosts.get(host.domain) ?? host, host)),
  );
  return keepEqual(before, { ...after, virtualHosts });
}

function reconcileDestinations(
  before: ReadonlyMap<DestinationId, Destination>,
  after: ReadonlyMap<DestinationId, Destination>,
): ReadonlyMap<DestinationId, Destination> {
  let isSame = before.size === after.size;
  const reconciled = new Map<DestinationId, Destination>();
  for (const [id, destination] of after) {
    const known = before.get(id);
    const kept = known === undefined ? destination : keepEqual(known, destination);
    isSame &&= kept === known;
    reconciled.set(id, kept);
  }
  return isSame ? before : reconciled;
}

function keepEqual<Value>(before: Value, after: Value): Value {
  return isDeepEqual(before, after) ? before : after;
}

function keepList<Item>(before: readonly Item[], after: readonly Item[]): readonly Item[] {
  return before.length === after.length && after.every((item, index) => item === before[index]) ? before : after;
}
