import type { HttpRouting, VirtualHost } from "../routes/route-table.ts";

/**
 * How Envoy is given the virtual hosts of a routing. `whole` is one route configuration, which Envoy rebuilds for every
 * change (50 us a host); `scoped` is one for each host, found by scope (SRDS), so that a change costs the same among
 * ten hosts and ten thousand. A scope is looked up at every request, so that a small routing stays whole.
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

/** Scopes of wildcards have this many labels behind the `*.` at most; those of longer ones hold several wildcards. */
export const maxWildcardLabels = 5;

/**
 * The scope that stands for a virtual host: its own name, or the shared one. Scopes of wildcards are tried from those
 * with the most labels to those with the fewest, and Envoy prefers the longest wildcard. So `*-eu.test` has to lie in the
 * scope of `*.test`, and a wildcard with more labels than are tried in that of its last ones.
 */
export function scopeOf({ domain, aliases = [] }: VirtualHost): string {
  if (aliases.length > 0) return [domain, ...aliases].every(isExact) ? domain : sharedScope;
  if (isExact(domain)) return domain;
  const [first = "", ...behind] = domain.split(".");
  const isPlain = first.startsWith("*") && behind.length > 0 && isExact(behind.join("."));
  return isPlain ? ["*", ...behind.slice(-maxWildcardLabels)].join(".") : sharedScope;
}

/** Whether a virtual host is not in the shared part. */
export function hasOwnScope(host: VirtualHost): boolean {
  return scopeOf(host) !== sharedScope;
}

/** A name with a colon (an IPv6 literal) is not what is left of a Host header after its port is cut off. */
function isExact(name: string): boolean {
  return !name.includes("*") && !name.includes(":");
}

/** The name of the route configuration that holds a host in the scoped form. */
export function scopedPartName(routing: string, host: VirtualHost): string {
  return `${routing}/${scopeOf(host)}`;
}
