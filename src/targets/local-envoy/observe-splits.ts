import type { SplitId, SplitWeights } from "../../core/routes/route-table.ts";
import { runtimeKeyPrefixOf } from "../../core/envoy/route-actions.ts";
import { weightsOf } from "../../core/routes/weights.ts";
import type { ObservedSplit } from "../../engine/ports.ts";
import type { EnvoyAdmin } from "./admin.ts";
import { observeWeights, overlayRuntime } from "./observe-weights.ts";
import type { ProxySet } from "./proxy-set.ts";
import type { PushedState } from "./pushed-state.ts";

/** Reads from every proxy what it does; a split on which proxies differ has no weights that could be named. */
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
  const text = canonical(first);
  return others.every((other) => other !== undefined && canonical(other) === text) ? first : undefined;
}

function canonical(weights: SplitWeights): string {
  return JSON.stringify(Object.entries(weights).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

interface VersionsDump {
  readonly configs?: readonly { readonly version_info?: string }[];
}

/**
 * A version is a hash of the content, so Envoy's word which version it runs says what its routes are: 100 bytes instead
 * of a dump of many megabytes that would stop its main thread. Undefined when it runs a version that was not made here.
 */
async function observeByVersion(
  admin: EnvoyAdmin,
  state: PushedState,
  splits: ReadonlySet<SplitId>,
): Promise<ReadonlyMap<SplitId, SplitWeights> | undefined> {
  const dump: VersionsDump = JSON.parse(
    await admin.get("/config_dump?resource=dynamic_route_configs&mask=version_info"),
  );
  const versions = (dump.configs ?? []).map(({ version_info: version }) => version ?? "");
  const routings = versions.flatMap((version) => state.routingOf(version) ?? []);
  if (versions.length === 0 || routings.length < versions.length) return undefined;
  const runtime = await admin.runtime();
  const observed = new Map<SplitId, SplitWeights>();
  for (const { virtualHosts } of routings) {
    for (const { action } of virtualHosts.flatMap(({ routes }) => routes)) {
      if (action.kind !== "forward" || !splits.has(action.split.id) || observed.has(action.split.id)) continue;
      observed.set(action.split.id, overlayRuntime(runtimeKeyPrefixOf(action.split), weightsOf(action.split), runtime));
    }
  }
  return observed;
}
