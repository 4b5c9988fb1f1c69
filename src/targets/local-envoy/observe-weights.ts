import type { RuntimeKeyPrefix } from "../../core/envoy/names.ts";
import type { SplitId, SplitWeights } from "../../core/routes/route-table.ts";
import type { EnvoyAdmin } from "./admin.ts";

/** The parts of `/config_dump` that say where a route leads (Envoy API: admin/v3/config_dump.proto). */
interface RoutesDump {
  readonly configs?: readonly { readonly route_config?: { readonly virtual_hosts?: readonly HostDump[] } }[];
}

interface HostDump {
  readonly routes?: readonly RouteDump[];
}

interface RouteDump {
  readonly name?: string;
  readonly route?: {
    readonly cluster?: string;
    readonly weighted_clusters?: {
      readonly runtime_key_prefix?: string;
      readonly clusters: readonly { readonly name: string; readonly weight?: number }[];
    };
  };
}

/**
 * The weights that one Envoy uses now, read from itself: those of its route configuration, overlaid with its runtime
 * values. Splits that it does not route are missing; so are all while its runtime changes with every look.
 */
export async function observeWeights(
  admin: EnvoyAdmin,
  splits: ReadonlySet<SplitId>,
): Promise<ReadonlyMap<SplitId, SplitWeights>> {
  const seen = await besideRuntime(admin, () => admin.get("/config_dump?resource=dynamic_route_configs"));
  if (seen === undefined) return new Map();
  const dump: RoutesDump = JSON.parse(seen.answer);
  const { runtime } = seen;
  const observed = new Map<SplitId, SplitWeights>();
  for (const { route_config: routes } of dump.configs ?? []) {
    for (const host of routes?.virtual_hosts ?? []) {
      for (const route of host.routes ?? []) {
        const { name } = route;
        if (name === undefined || !splits.has(name) || observed.has(name)) continue;
        const weights = readWeights(route, runtime);
        if (weights !== undefined) observed.set(name, weights);
      }
    }
  }
  return observed;
}

const maxLooks = 20;

/**
 * Asks one Envoy for something that only tells the truth together with its runtime values. It cannot be asked for both at
 * once, and a rewrite of the routes changes one and then the other, so that the routes of before beside the values of
 * after would be weights that nobody ever had. Every publication of values has an epoch of its own, so those that are
 * the same before and after the answer were in force when it was given. Undefined where they never were.
 */
export async function besideRuntime<Answer>(
  admin: Pick<EnvoyAdmin, "runtime">,
  ask: () => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly runtime: ReadonlyMap<string, string> } | undefined> {
  let runtime = await admin.runtime();
  for (let look = 0; look < maxLooks; look += 1) {
    const answer = await ask();
    const after = await admin.runtime();
    if (isSame(runtime, after)) return { answer, runtime };
    runtime = after;
  }
  return undefined;
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

/** Overlays weights of all arms of a known route configuration with the runtime values of one Envoy. */
export function overlayRuntime(
  prefix: RuntimeKeyPrefix,
  weights: SplitWeights,
  runtime: ReadonlyMap<string, string>,
): SplitWeights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => {
      const value = runtime.get(`${prefix}.${name}`);
      return [name, value === undefined ? weight : Number(value)];
    }),
  );
}

function readWeights(route: RouteDump, runtime: ReadonlyMap<string, string>): SplitWeights | undefined {
  const weighted = route.route?.weighted_clusters;
  if (weighted === undefined) return route.route?.cluster === undefined ? undefined : { [route.route.cluster]: 100 };
  const weights = Object.fromEntries(weighted.clusters.map(({ name, weight }) => [name, weight ?? 0]));
  return overlayRuntime(weighted.runtime_key_prefix ?? "", weights, runtime);
}
