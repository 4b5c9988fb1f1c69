import type { HttpRouting, VirtualHost } from "../routes/route-table.ts";

/**
 * How Envoy is given the virtual hosts of a routing. `whole` is one route configuration, which Envoy rebuilds for every
 * change (50 us a host); `scoped` is one for each exact host, found by scope (SRDS), so that a change costs the same
 * among ten hosts and ten thousand. A scope is looked up at every request, so that a small routing stays whole.
 */
export type RouteForm = "whole" | "scoped";

/** Which routings are in which form; all that are not named are whole. */
export interface RouteForms {
  readonly scoped: ReadonlySet<string>;
  /** Given in the other form as well, because connections from before a change of form still use it. */
  readonly lingering: ReadonlySet<string>;
}

export const wholeRoutes: RouteForms = { scoped: new Set(), lingering: new Set() };

/** Virtual hosts from which on a routing is scoped: below it a change of the whole costs 20 ms at most. */
const scopedFrom = 400;

/** The form for a routing that had another one before, or none. One that is scoped stays so, because a change drains. */
export function chooseRouteForm({ virtualHosts, matchesPorts }: HttpRouting, before: RouteForm | undefined): RouteForm {
  // A scope's name has no port, so that hosts which differ in ports alone cannot be told apart by scope.
  if (matchesPorts === true) return "whole";
  return before === "scoped" || virtualHosts.length >= scopedFrom ? "scoped" : "whole";
}

/** The part of a scoped routing that holds every host which no scope of its own can stand for. */
export const sharedScope = "*";

/**
 * Whether a virtual host has scopes of its own: all of its names are exact. A name with a colon (an IPv6 literal) is not
 * what is left of a Host header after its port is cut off.
 */
export function hasOwnScope(host: VirtualHost): boolean {
  return isExact(host.domain) && (host.aliases ?? []).every(isExact);
}

function isExact(name: string): boolean {
  return !name.includes("*") && !name.includes(":");
}

/** The name of the route configuration that holds a host in the scoped form. */
export function scopedPartName(routing: string, host: VirtualHost): string {
  return `${routing}/${hasOwnScope(host) ? host.domain : sharedScope}`;
}
