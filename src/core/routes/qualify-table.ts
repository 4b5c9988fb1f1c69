import type {
  Destination,
  DestinationId,
  ForwardAction,
  HttpRouting,
  Listener,
  Proxy,
  Route,
  RouteOrigin,
  RouteTable,
  Split,
  UnservedHost,
} from "./route-table.ts";
import { qualifyName } from "./site-names.ts";

/**
 * The table of one cluster with its context in front of every name, so that it can stand beside those of others: proxies,
 * listeners, VirtualServices, splits and destinations. Hosts and subsets keep their names, which are what versions are
 * called; secrets keep theirs, because a table of clusters is planned with and never emitted.
 */
export function qualifyTable(table: RouteTable, context: string): RouteTable {
  const own = (name: string): string => qualifyName(context, name);
  return {
    ...table,
    proxies: new Map([...table.proxies].map(([id, proxy]): [string, Proxy] => [own(id), { ...proxy, id: own(id) }])),
    listeners: table.listeners.map((listener) => qualifyListener(listener, own)),
    httpRoutings: table.httpRoutings.map((routing) => qualifyRouting(routing, own)),
    destinations: new Map(
      [...table.destinations].map(([id, one]): [DestinationId, Destination] => [own(id), { ...one, id: own(id) }]),
    ),
    ...(table.unserved !== undefined && {
      unserved: table.unserved.map((host): UnservedHost => ({ ...host, virtualService: own(host.virtualService) })),
    }),
  };
}

/** One table of several that have no name in common. */
export function mergeTables(tables: readonly RouteTable[]): RouteTable {
  return {
    proxies: new Map(tables.flatMap(({ proxies }) => [...proxies])),
    listeners: tables.flatMap(({ listeners }) => listeners),
    httpRoutings: tables.flatMap(({ httpRoutings }) => httpRoutings),
    destinations: new Map(tables.flatMap(({ destinations }) => [...destinations])),
    secrets: new Map(tables.flatMap(({ secrets }) => [...secrets])),
    unserved: tables.flatMap(({ unserved = [] }) => unserved),
  };
}

type Qualify = (name: string) => string;

function qualifyListener(listener: Listener, own: Qualify): Listener {
  return {
    ...listener,
    id: own(listener.id),
    proxy: own(listener.proxy),
    filterChains: listener.filterChains.map((chain) => {
      const { serves } = chain;
      switch (serves.kind) {
        case "http":
          return { ...chain, id: own(chain.id), serves: { ...serves, routing: own(serves.routing) } };
        case "tcp": {
          const { origin, split } = serves.route;
          const route = { ...serves.route, origin: qualifyOrigin(origin, own), split: qualifySplit(split, own) };
          return { ...chain, id: own(chain.id), serves: { ...serves, route } };
        }
        case "inboundHttp": {
          const route = { ...serves.route, destination: own(serves.route.destination) };
          return { ...chain, id: own(chain.id), serves: { ...serves, route } };
        }
      }
    }),
  };
}

function qualifyRouting(routing: HttpRouting, own: Qualify): HttpRouting {
  const virtualHosts = routing.virtualHosts.map((host) => ({
    ...host,
    routes: host.routes.map((route): Route => {
      const { action } = route;
      const origin = qualifyOrigin(route.origin, own);
      return { ...route, origin, action: action.kind === "forward" ? qualifyAction(action, own) : action };
    }),
  }));
  return { ...routing, id: own(routing.id), virtualHosts };
}

/** What nobody wrote a rule for has no name to qualify. */
function qualifyOrigin(origin: RouteOrigin, own: Qualify): RouteOrigin {
  const { virtualService, delegate } = origin;
  return {
    ...origin,
    virtualService: virtualService === "" ? "" : own(virtualService),
    ...(delegate !== undefined && { delegate: own(delegate) }),
  };
}

function qualifyAction(action: ForwardAction, own: Qualify): ForwardAction {
  const mirrors = action.mirrors.map((mirror) => ({ ...mirror, destination: own(mirror.destination) }));
  return { ...action, split: qualifySplit(action.split, own), mirrors };
}

function qualifySplit(split: Split, own: Qualify): Split {
  const arms = split.arms.map((arm) => ({ ...arm, destination: own(arm.destination) }));
  return { ...split, id: own(split.id), arms };
}
