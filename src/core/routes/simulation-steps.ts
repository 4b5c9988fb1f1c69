import { type LinePlace, linePlaceOf } from "../diagnostics/position.ts";
import { hostOf } from "./find-virtual-host.ts";
import { findUnmet, renderMatch, renderUnmet } from "./match-request.ts";
import { serversOf } from "./listener-parts.ts";
import type { Listener, Route, UnservedHost, VirtualHost } from "./route-table.ts";
import type { Walk } from "./simulate.ts";
import type { SimulationStep } from "./simulation.ts";

/** The way of a request in words: the listener, the virtual hosts that compete for its host, each route in turn. */
export function renderSteps(walk: Walk): readonly SimulationStep[] {
  const steps = [listenerStep(walk)];
  if (walk.listener === undefined) {
    return steps;
  }
  if (walk.result.kind === "rejected") {
    const reason = `${walk.result.reason}, so the proxy answers ${walk.result.status} before it looks for a route`;
    return [...steps, step({ tried: "route", name: walk.request.target, taken: false, reason })];
  }
  if (walk.result.kind === "miss" && walk.result.cause === "no-filter-chain") {
    return [...steps, chainStep(walk, walk.listener)];
  }
  return [...steps, ...virtualHostSteps(walk), ...routeSteps(walk)];
}

/** A route's rule, such as `sample-ns/app rule 1 match 0 (name)`. */
function routeName({ origin, name }: Route): string {
  if (origin.virtualService === "") return name === "" ? "that nobody wrote" : `that nobody wrote (${name})`;
  if (origin.madeFrom !== undefined) return origin.madeFrom;
  const match = origin.match === undefined ? "" : ` match ${origin.match}`;
  return `${origin.virtualService} rule ${origin.rule}${match}${name === "" ? "" : ` (${name})`}`;
}

function listenerStep({ table, request, listener }: Walk): SimulationStep {
  if (listener === undefined) {
    const ports = [
      ...new Set(table.listeners.flatMap(({ role, port }) => (role.kind === "gateway" ? [port] : []))),
    ].join(", ");
    const known = ports === "" ? "no Gateway declares a server" : `gateway servers have the ports ${ports}`;
    return step({
      tried: "listener",
      name: `port ${request.port}`,
      taken: false,
      reason: `nothing listens on port ${request.port}; ${known}`,
    });
  }
  const all = serversOf(listener);
  if (request.from !== undefined) {
    const reason = `the sidecar of ${request.from} takes what it sends to HTTP ports`;
    return step({ tried: "listener", name: `port ${request.port}`, taken: true, reason });
  }
  const shown = all.slice(0, shownHosts).map(({ gateway, server }) => `${gateway} server ${server}`);
  const more = all.length > shownHosts ? ` and ${all.length - shownHosts} more` : "";
  return step({
    tried: "listener",
    name: `port ${request.port}`,
    taken: true,
    reason: `port ${request.port} belongs to ${shown.join(", ")}${more}`,
    at: all[0]?.at,
  });
}

function chainStep({ request }: Walk, { port, filterChains }: Listener): SimulationStep {
  const name = request.sni ?? hostOf(request.authority);
  const start = request.scheme === "https" ? `TLS for ${name}` : "plain text";
  const names = filterChains.flatMap(({ serverNames, tls }) =>
    serverNames.length > 0 ? serverNames : [tls === undefined ? "plain text" : "any name"],
  );
  return step({
    tried: "listener",
    name: `port ${port}`,
    taken: false,
    reason: `a connection that begins with ${start} finds no HTTP there and is reset; chains are for ${names.join(", ")}`,
  });
}

function virtualHostSteps(walk: Walk): readonly SimulationStep[] {
  const host = hostOf(walk.request.authority);
  const [taken, ...others] = walk.virtualHosts;
  if (taken === undefined) {
    return [step({ tried: "virtualHost", name: host, taken: false, reason: whyNoVirtualHost(walk, host) })];
  }
  return [
    step({
      tried: "virtualHost",
      name: taken.domain,
      taken: true,
      reason: whyTaken(taken, host),
    }),
    ...others.map(({ domain }) =>
      step({
        tried: "virtualHost",
        name: domain,
        taken: false,
        reason: `${taken.domain} is more specific, and a request never falls back to a wider host`,
      }),
    ),
  ];
}

function whyTaken({ domain, aliases }: VirtualHost, host: string): string {
  if (domain === host) return `${host} is served by this name`;
  return aliases?.includes(host) === true ? `${host} is another name of it` : `${host} is covered by ${domain}`;
}

/** Long lists of hosts and servers are cut: nobody reads ten thousand names. */
const shownHosts = 20;

function whyNoVirtualHost({ table, request, listener, chain }: Walk, host: string): string {
  const others = listener === undefined ? [] : serversOf(listener).flatMap(({ hosts }) => hosts);
  const own = chain === undefined ? [] : chain.servers.flatMap(({ hosts }) => hosts);
  if (!own.some((domain) => covers(domain, host)) && others.some((domain) => covers(domain, host))) {
    return `the connection asked for ${request.sni ?? host}, so its server is the one for ${own.join(", ")}, which does not know ${host}; another server of the port does`;
  }
  const unserved = (table.unserved ?? []).filter((entry) => covers(entry.host, host));
  if (unserved.length > 0) {
    return unserved.map(renderUnserved).join("; ");
  }
  const admitted = [...new Set((listener === undefined ? [] : serversOf(listener)).flatMap((server) => server.hosts))];
  if (admitted.some((domain) => covers(domain, host))) {
    return `a gateway server admits ${host}, but no VirtualService with a rule for this listener names it`;
  }
  const more = admitted.length > shownHosts ? ` and ${admitted.length - shownHosts} more` : "";
  return `no gateway server on this port admits ${host}; admitted are ${admitted.slice(0, shownHosts).join(", ")}${more}`;
}

function renderUnserved({ virtualService, madeFrom, host, reason }: UnservedHost): string {
  return `${madeFrom ?? `VirtualService ${virtualService}`} has rules for ${host}, but ${reason}`;
}

function covers(domain: string, host: string): boolean {
  return domain === host || (domain.startsWith("*") && host.endsWith(domain.slice(1)));
}

function routeSteps({ virtualHosts, prepared, taken, result }: Walk): readonly SimulationStep[] {
  const virtualHost = virtualHosts[0];
  if (virtualHost === undefined || prepared === undefined) {
    return [];
  }
  if (result.kind === "redirect" && result.route === undefined) {
    const reason = `the server's httpsRedirect sends every plain request to ${result.location}`;
    return [step({ tried: "route", name: "httpsRedirect", taken: true, reason })];
  }
  const tried = taken === -1 ? virtualHost.routes : virtualHost.routes.slice(0, taken + 1);
  if (tried.length === 0) {
    return [step({ tried: "route", name: virtualHost.domain, taken: false, reason: "the host has no route at all" })];
  }
  return tried.map((route) => {
    const unmet = findUnmet(route.match, prepared);
    return step({
      tried: "route",
      name: routeName(route),
      taken: unmet === undefined,
      reason: unmet === undefined ? `it takes ${renderMatch(route.match)}` : renderUnmet(unmet, prepared),
      at: route.origin.at,
    });
  });
}

function step(parts: {
  readonly tried: SimulationStep["tried"];
  readonly name: string;
  readonly taken: boolean;
  readonly reason: string;
  readonly at?: LinePlace | undefined;
}): SimulationStep {
  const { at } = parts;
  return { ...parts, at: at === undefined ? undefined : linePlaceOf(at) };
}
