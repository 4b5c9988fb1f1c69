import type { LocalityLoadBalancing } from "../manifest/destination-rule.ts";
import type { PlacedEndpoint } from "./placed-endpoint.ts";
import type { Locality } from "./route-table.ts";

/** Endpoints that share a locality and a priority. */
export interface LocalityGroup {
  readonly locality: Locality;
  readonly endpoints: readonly PlacedEndpoint[];
  readonly priority: number;
  /** The share of the group; the sum of its endpoints' weights where nothing else is said. */
  readonly weight: number;
}

/** Groups in the order in which their first endpoints come. */
export function groupByLocality(endpoints: readonly PlacedEndpoint[]): readonly LocalityGroup[] {
  const groups = new Map<string, PlacedEndpoint[]>();
  for (const placed of endpoints) {
    const { region, zone, subZone } = placed.locality;
    const key = `${region}/${zone}/${subZone}`;
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [placed]);
    else list.push(placed);
  }
  return [...groups.values()].map((members) => ({
    locality: members[0]?.locality ?? { region: "", zone: "", subZone: "" },
    endpoints: members,
    priority: 0,
    weight: weightOf(members),
  }));
}

export function weightOf(endpoints: readonly PlacedEndpoint[]): number {
  return endpoints.reduce((sum, { endpoint }) => sum + (endpoint.kind === "address" ? endpoint.weight : 1), 0);
}

/**
 * Shares by locality for requests from one place: localities that the matching entry does not name get nothing, and of
 * those that one pattern names each has a part of its share. Source: Istio `loadbalancer.go`, applyLocalityWeights.
 */
export function distribute(
  endpoints: readonly PlacedEndpoint[],
  entries: LocalityLoadBalancing["distribute"],
  here: Locality | undefined,
): readonly LocalityGroup[] {
  const groups = groupByLocality(endpoints);
  const entry = entries.find(({ from }) => matchesLocality(here, from));
  if (entry === undefined) return groups;
  const left = new Set(groups);
  const weighed = new Map<LocalityGroup, number>();
  for (const [pattern, share] of Object.entries(entry.to)) {
    const named = [...left].filter(({ locality }) => matchesLocality(locality, pattern));
    const total = named.reduce((sum, { weight }) => sum + weight, 0);
    for (const group of named) {
      left.delete(group);
      const part = (group.weight * share) / total;
      weighed.set(group, part > 0 ? Math.ceil(part) : group.weight);
    }
  }
  return groups.flatMap((group) => {
    const weight = weighed.get(group);
    return weight === undefined ? [] : [{ ...group, weight }];
  });
}

/** `region/zone/subzone` with `*` for anything and what is missing at the end too. Source: Istio `util.LocalityMatch`. */
function matchesLocality(locality: Locality | undefined, pattern: string): boolean {
  const [region = "", zone = "", subZone = ""] = pattern.split("/");
  const { region: ownRegion, zone: ownZone, subZone: ownSubZone } = locality ?? { region: "", zone: "", subZone: "" };
  return (
    (region === "*" || region === ownRegion) &&
    (zone === "*" || zone === "" || zone === ownZone) &&
    (subZone === "*" || subZone === "" || subZone === ownSubZone)
  );
}
