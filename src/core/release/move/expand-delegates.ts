import type { ReleaseRoute } from "../../manifest/release.ts";
import type { RouteTable } from "../../routes/route-table.ts";
import { buildRoutedServices, type RoutedService } from "./movable-rules.ts";

/**
 * The routes of a Release, where each delegate is its own rules in every VirtualService that delegates to it: proxies
 * know no delegate, and its rules move together wherever they stand.
 */
export function expandDelegates(routes: readonly ReleaseRoute[], table: RouteTable): readonly ReleaseRoute[] {
  const services = buildRoutedServices(table);
  const known = new Set(services.map(({ virtualService }) => virtualService));
  return routes.flatMap((route) => {
    const named = `${route.namespace}/${route.virtualService}`;
    const roots = known.has(named) ? [] : findDelegators(services, named);
    if (roots.length === 0) return [route];
    return roots.map(({ namespace, name }) => ({
      namespace,
      virtualService: name,
      route: route.route,
      delegate: named,
    }));
  });
}

/** The VirtualServices that have rules of a delegate, given as `namespace/name`. */
export function findDelegators(services: readonly RoutedService[], delegate: string): readonly RoutedService[] {
  return services.filter(({ routes }) =>
    [...routes.values()].some(([first]) => first !== undefined && first.origin.delegate === delegate),
  );
}
