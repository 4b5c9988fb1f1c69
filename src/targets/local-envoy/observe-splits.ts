import type { SplitId, SplitWeights, VirtualHost } from "../../core/routes/route-table.ts";
import { scopedPartName, sharedScope } from "../../core/envoy/route-forms.ts";
import { runtimeKeyPrefixOf } from "../../core/envoy/route-actions.ts";
import { isSameShare } from "../../core/release/move/split-weights.ts";
import { weightsOf } from "../../core/routes/weights.ts";
import type { ObservedSplit } from "../../engine/ports.ts";
import type { EnvoyAdmin } from "./admin.ts";
import { besideRuntime, observeWeights, overlayRuntime } from "./observe-weights.ts";
import type { ProxySet } from "./proxy-set.ts";
import type { PushedState } from "./pushed-state.ts";

/**
 * Reads from every proxy what it does; a split on which proxies differ has no weights that could be named. The same
 * shares may be in other numbers in the routes of one than in the runtime values of another.
 */
export async function observeSplits(
  proxies: ProxySet,
  state: PushedState,
  splits: readonly SplitId[],
): Promise<readonly ObservedSplit[]> {
  const wanted = new Set(splits);
  const observations = await proxies.ask(async ({ admin }) => {
    return (await observeByVersion(admin, state, wanted)) ?? (await observeWeights(admin, wanted));
  });
  return splits.map((split) => ({ split, weights: agreed(observations.map((observed) => observed.get(split))) }));
}

function agreed(all: readonly (SplitWeights | undefined)[]): SplitWeights | undefined {
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  return others.every((other) => other !== undefined && isSameShare(other, first)) ? first : undefined;
}

interface VersionsDump {
  readonly configs?: readonly {
    readonly version_info?: string;
    readonly route_config?: { readonly name?: string };
  }[];
}

/** A longer list of names would not fit into a request line. */
const maxNamesAsked = 20;

/**
 * A version is a hash of the content, so Envoy's word which version it runs says what its routes are: 100 bytes instead
 * of a dump of many megabytes that would stop its main thread. Undefined when it runs a version that was not made here.
 */
async function observeByVersion(
  admin: EnvoyAdmin,
  state: PushedState,
  splits: ReadonlySet<SplitId>,
): Promise<ReadonlyMap<SplitId, SplitWeights> | undefined> {
  if (state.published.length === 0) return undefined;
  const names = namesOfParts(state, splits);
  if (names.length === 0) return new Map();
  const filter = names.length > maxNamesAsked ? "" : `&name_regex=${encodeURIComponent(anyOf(names))}`;
  const seen = await besideRuntime(admin, () =>
    admin.get(`/config_dump?resource=dynamic_route_configs&mask=route_config.name,version_info${filter}`),
  );
  if (seen === undefined) return new Map();
  const dump: VersionsDump = JSON.parse(seen.answer);
  const reported = (dump.configs ?? []).map(({ route_config: routes, version_info: version }) => ({
    name: routes?.name ?? "",
    version: version ?? "",
  }));
  const hosts = reported.map((part) => hostsOf(state, part));
  if (hosts.length < names.length || hosts.length === 0 || hosts.includes(undefined)) return undefined;
  const observed = new Map<SplitId, SplitWeights>();
  for (const { routes } of hosts.flatMap((part) => part ?? [])) {
    for (const { action } of routes) {
      if (action.kind !== "forward" || !splits.has(action.split.id) || observed.has(action.split.id)) continue;
      observed.set(
        action.split.id,
        overlayRuntime(runtimeKeyPrefixOf(action.split), weightsOf(action.split), seen.runtime),
      );
    }
  }
  return observed;
}

/** RE2 takes the whole name only. */
function anyOf(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(/[^\w/]/g, String.raw`\$&`)).join("|");
}

/** The route configurations that hold one of these splits, as the newest table that knows of any has them. */
function namesOfParts(state: PushedState, splits: ReadonlySet<SplitId>): readonly string[] {
  const { lingeringRoutes } = state.snapshot;
  for (const { table, routes } of state.published) {
    const names = new Set<string>();
    for (const routing of table.httpRoutings) {
      for (const host of routing.virtualHosts) {
        if (!host.routes.some(({ action }) => action.kind === "forward" && splits.has(action.split.id))) continue;
        const known = [routing.id, scopedPartName(routing.id, host)].filter((name) => routes.has(name));
        for (const name of known) if (!lingeringRoutes.has(name)) names.add(name);
      }
    }
    if (names.size > 0) return [...names];
  }
  return [];
}

/** The virtual hosts that a version of a route configuration was made of; undefined for one that was not made here. */
function hostsOf(
  state: PushedState,
  { name, version }: { readonly name: string; readonly version: string },
): readonly VirtualHost[] | undefined {
  const published = state.published.find(({ routes }) => routes.get(name)?.version === version);
  if (published === undefined) return undefined;
  for (const routing of published.table.httpRoutings) {
    if (routing.id === name) return routing.virtualHosts;
    const hosts = routing.virtualHosts.filter((host) => scopedPartName(routing.id, host) === name);
    if (hosts.length > 0 || name === `${routing.id}/${sharedScope}`) return hosts;
  }
  return undefined;
}
