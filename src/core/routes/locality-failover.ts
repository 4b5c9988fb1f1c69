import type { LocalityLoadBalancing } from "../manifest/destination-rule.ts";
import { groupByLocality, type LocalityGroup, weightOf } from "./locality-distribution.ts";
import { augment, type PlacedEndpoint } from "./placed-endpoint.ts";
import type { Locality } from "./route-table.ts";

/**
 * Groups with priorities, so that farther endpoints take over only as nearer ones fail: by labels where the setting
 * names some, else by region, zone and sub-zone. Source: Istio `loadbalancer.go`, applyFailoverPriorities and
 * applyLocalityFailover.
 */
export function prioritize(
  endpoints: readonly PlacedEndpoint[],
  { failover, failoverPriority }: LocalityLoadBalancing,
  { here, labels }: { readonly here: Locality | undefined; readonly labels: Readonly<Record<string, string>> },
): readonly LocalityGroup[] {
  const groups = groupByLocality(endpoints);
  if (failoverPriority.length === 0) return compact(byDistance(groups, failover, here));
  const own = augment(labels, here);
  const labelled = compact(groups.flatMap((group) => splitByLabels(group, failoverPriority, own)));
  return failover.length === 0 ? labelled : compact(byDistance(labelled, failover, here));
}

/** Five steps of distance within each priority that there is already. */
function byDistance(
  groups: readonly LocalityGroup[],
  failover: LocalityLoadBalancing["failover"],
  here: Locality | undefined,
): readonly LocalityGroup[] {
  const own = here ?? { region: "", zone: "", subZone: "" };
  return groups.map((group) => ({
    ...group,
    priority: group.priority * 5 + distanceOf(group.locality, own, failover),
  }));
}

function distanceOf(there: Locality, own: Locality, failover: LocalityLoadBalancing["failover"]): number {
  if (there.region === own.region) {
    if (there.zone !== own.zone) return 2;
    return there.subZone === own.subZone ? 0 : 1;
  }
  const successor = failover.find(({ from }) => from === own.region);
  return successor === undefined || successor.to === there.region ? 3 : 4;
}

/** `label`, whose value the client's own labels give, or `label=value`; the first that differs decides. */
function splitByLabels(
  group: LocalityGroup,
  wanted: readonly string[],
  own: Readonly<Record<string, string>>,
): readonly LocalityGroup[] {
  const byPriority = new Map<number, PlacedEndpoint[]>();
  for (const placed of group.endpoints) {
    const index = wanted.findIndex((entry) => {
      const equals = entry.indexOf("=");
      const name = equals === -1 ? entry : entry.slice(0, equals);
      const value = equals === -1 ? (own[name] ?? "") : entry.slice(equals + 1);
      return value !== (placed.labels[name] ?? "");
    });
    const priority = index === -1 ? 0 : wanted.length - index;
    const list = byPriority.get(priority);
    if (list === undefined) byPriority.set(priority, [placed]);
    else list.push(placed);
  }
  return [...byPriority]
    .toSorted(([left], [right]) => left - right)
    .map(([priority, endpoints]) => ({ locality: group.locality, endpoints, priority, weight: weightOf(endpoints) }));
}

/** Priorities without gaps: Envoy refuses a list that leaves one out. */
function compact(groups: readonly LocalityGroup[]): readonly LocalityGroup[] {
  const order = [...new Set(groups.map(({ priority }) => priority))].toSorted((left, right) => left - right);
  return groups.map((group) => ({ ...group, priority: order.indexOf(group.priority) }));
}
