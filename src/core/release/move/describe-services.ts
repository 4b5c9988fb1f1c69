import type {
  DestinationId,
  RouteTable,
  Split,
  SplitId,
  SplitWeights,
  WeightOverrides,
} from "../../routes/route-table.ts";
import { describeService, type ServiceDescription } from "./describe-service.ts";
import { buildRoutedServices, type RoutedService } from "./movable-rules.ts";

/**
 * Describes every VirtualService that the table routes, in order of its name. The table has the declared weights. A
 * service is looked at again only after its weights changed, so that asking often costs little among thousands.
 */
export function describeServices(table: RouteTable, current: WeightOverrides): readonly ServiceDescription[] {
  return buildRoutedServices(table).map((service) => describeOnce(service, current));
}

/** Describes only the services that can send to one of these destinations, in order of their names. */
export function describeServicesOf(
  table: RouteTable,
  { current, destinations }: { readonly current: WeightOverrides; readonly destinations: Iterable<DestinationId> },
): readonly ServiceDescription[] {
  const byDestination = indexByDestination(table);
  const found = new Set<RoutedService>();
  for (const destination of destinations)
    for (const service of byDestination.get(destination) ?? []) found.add(service);
  return [...found]
    .toSorted((left, right) => (left.virtualService < right.virtualService ? -1 : 1))
    .map((service) => describeOnce(service, current));
}

/** A table never changes, and traffic is counted by destination every second. */
const servicesByDestination = new WeakMap<RouteTable, ReadonlyMap<DestinationId, ReadonlySet<RoutedService>>>();

function indexByDestination(table: RouteTable): ReadonlyMap<DestinationId, ReadonlySet<RoutedService>> {
  const known = servicesByDestination.get(table);
  if (known !== undefined) return known;
  const index = new Map<DestinationId, Set<RoutedService>>();
  for (const service of buildRoutedServices(table)) {
    for (const { arms } of splitsOf(service)) {
      for (const { destination } of arms) {
        const services = index.get(destination);
        if (services === undefined) index.set(destination, new Set([service]));
        else services.add(service);
      }
    }
  }
  servicesByDestination.set(table, index);
  return index;
}

interface KnownDescription {
  readonly splits: readonly SplitId[];
  /** What the overrides said of each split; weights are never changed in place, so identity tells. */
  readonly overrides: readonly (SplitWeights | undefined)[];
  readonly description: ServiceDescription;
}

const knownDescriptions = new WeakMap<RoutedService, KnownDescription>();

function describeOnce(service: RoutedService, current: WeightOverrides): ServiceDescription {
  const known = knownDescriptions.get(service);
  if (known?.splits.every((split, index) => current.get(split) === known.overrides[index]) === true) {
    return known.description;
  }
  const splits = known?.splits ?? splitsOf(service).map(({ id }) => id);
  const description = describeService(service, current);
  knownDescriptions.set(service, { splits, overrides: splits.map((split) => current.get(split)), description });
  return description;
}

function splitsOf(service: RoutedService): readonly Split[] {
  return [...service.routes.values()].flatMap((routes) =>
    routes.flatMap(({ action }) => (action.kind === "forward" ? [action.split] : [])),
  );
}
