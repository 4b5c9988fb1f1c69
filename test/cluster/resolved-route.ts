import { type Json, listAt, objectAt, textAt } from "./config-dump.ts";
import { withoutDefaults } from "./without-defaults.ts";

type NameCluster = (name: string) => string;

/** What names, traces and describes a route, and how its destinations are written. */
const leftOut = new Set(["name", "metadata", "decorator", "route", "match", "stat_prefix"]);
const leftOutOfAction = new Set(["cluster", "weighted_clusters", "cluster_header", "request_mirror_policies"]);

/** One route without its name, with its match and action in a form that both sides share. */
export function resolveRoute(route: Json, nameCluster: NameCluster): unknown {
  const action = objectAt(route, "route");
  const rest = Object.entries(route).filter(([field]) => !leftOut.has(field));
  return withoutDefaults({
    ...resolveHeaders(Object.fromEntries(rest)),
    redirect: resolveRedirect(objectAt(route, "redirect")),
    direct_response: resolveDirectResponse(objectAt(route, "direct_response")),
    typed_per_filter_config: resolveFilterSettings(objectAt(route, "typed_per_filter_config")),
    match: resolveMatch(objectAt(route, "match")),
    forward: route["route"] === undefined ? undefined : resolveForward(action, nameCluster),
  });
}

/** A filter that is on for every request says no more than one that is on; a fault of 0 % never happens. */
function resolveFilterSettings(settings: Json): Json {
  const resolved = Object.entries(settings).map(([name, value]): [string, unknown] => {
    const { filter_enabled: enabled, abort, delay, ...rest } = value as Json;
    const isOn = enabled === undefined || percentOf(objectAt(enabled as Json, "default_value")) === 100;
    const faults = { abort: happens(abort as Json | undefined), delay: happens(delay as Json | undefined) };
    const isFault = name.endsWith(".fault");
    if (isFault && faults.abort === undefined && faults.delay === undefined) return [name, undefined];
    return [name, { ...rest, ...faults, filter_enabled: isOn ? undefined : enabled }];
  });
  return Object.fromEntries(resolved);
}

function happens(fault: Json | undefined): Json | undefined {
  return fault === undefined || percentOf(objectAt(fault, "percentage")) === 0 ? undefined : fault;
}

/** A redirect that keeps the path says so by an empty one, or by none. */
function resolveRedirect(redirect: Json): Json {
  return redirect["path_redirect"] === "" ? { ...redirect, path_redirect: undefined } : redirect;
}

function resolveDirectResponse(response: Json): Json {
  const { inline_string: text, inline_bytes: bytes } = objectAt(response, "body");
  const body =
    text ??
    (bytes === undefined
      ? undefined
      : Buffer.from(textAt(objectAt(response, "body"), "inline_bytes"), "base64").toString());
  return { ...response, body };
}

/** Headers by name; the order counts only among changes of one header. */
function resolveHeaders(fields: Json): Json {
  const sorted = ["request_headers_to_add", "response_headers_to_add"].map((field): [string, unknown] => [
    field,
    listAt(fields, field).toSorted((left, right) => compareText(headerOf(left), headerOf(right))),
  ]);
  return { ...fields, ...Object.fromEntries(sorted) };
}

function headerOf(change: Json): string {
  return textAt(objectAt(change, "header"), "key").toLowerCase();
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function resolveMatch(match: Json): Json {
  return {
    ...match,
    headers: sortByName(listAt(match, "headers")),
    query_parameters: sortByName(listAt(match, "query_parameters")),
  };
}

function sortByName(list: readonly Json[]): readonly Json[] {
  return list.toSorted((left, right) => compareText(String(left["name"]), String(right["name"])));
}

function resolveForward(action: Json, nameCluster: NameCluster): Json {
  const rest = Object.entries(action).filter(([field]) => !leftOutOfAction.has(field));
  return {
    ...Object.fromEntries(rest),
    retry_policy: resolveRetries(objectAt(action, "retry_policy")),
    shares: resolveShares(action, nameCluster),
    mirrors: listAt(action, "request_mirror_policies").map((mirror) => ({
      ...mirror,
      cluster: nameCluster(String(mirror["cluster"])),
      runtime_fraction: percentOf(objectAt(objectAt(mirror, "runtime_fraction"), "default_value")),
    })),
  };
}

/** How often another host is looked for counts only where some hosts are rejected; empty conditions are none. */
function resolveRetries({ retry_on: conditions, ...rest }: Json): Json {
  const on = typeof conditions === "string" ? conditions.split(",").filter((each) => each !== "") : [];
  const policy: Json = { ...rest, retry_on: on };
  if (policy["retry_host_predicate"] !== undefined) return policy;
  return { ...policy, host_selection_retry_max_attempts: undefined };
}

function percentOf({ numerator, denominator }: Json): number {
  const whole = denominator === "MILLION" ? 1_000_000 : denominator === "TEN_THOUSAND" ? 10_000 : 100;
  return numerator === undefined ? 0 : (Number(numerator) * 100) / whole;
}

/**
 * The shares that requests or connections are drawn by, each of the whole; a version without a share is not in them.
 * A cluster that a header names is no cluster: kirikae writes a destination that does not exist in this way.
 */
export function resolveShares(action: Json, nameCluster: NameCluster): readonly unknown[] {
  if (action["cluster_header"] !== undefined) return [{ cluster: nameCluster(""), share: 1 }];
  if (action["cluster"] !== undefined) return [{ cluster: nameCluster(textAt(action, "cluster")), share: 1 }];
  const arms = listAt(objectAt(action, "weighted_clusters"), "clusters").filter(
    (arm) => Number(arm["weight"] ?? 0) > 0,
  );
  const total = arms.reduce((sum, arm) => sum + Number(arm["weight"]), 0);
  // Two shares that are alike are one with both.
  const shares = new Map<string, { readonly arm: Json; readonly weight: number }>();
  for (const { name, weight, ...rest } of arms) {
    const arm = withoutDefaults({ ...resolveHeaders(rest), cluster: nameCluster(String(name)) });
    const key = JSON.stringify(arm);
    shares.set(key, { arm, weight: (shares.get(key)?.weight ?? 0) + Number(weight) });
  }
  return [...shares.values()].map(({ arm, weight }) => ({ ...arm, share: weight / total }));
}
