import type { EndpointCounts } from "../../core/release/move/limit-return.ts";
import type { DestinationId, RouteTable } from "../../core/routes/route-table.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { SiteObjects } from "./site-objects.ts";

/**
 * How many ready endpoints each of these destinations has: EndpointSlices name those that are not, and the table leaves
 * them out. Left out are addresses of ServiceEntries, of which nobody in the cluster knows whether they are ready.
 */
export function countSiteEndpoints(
  site: { readonly table: Pick<RouteTable, "destinations"> } & Pick<SiteObjects, "object">,
  ids: Iterable<DestinationId>,
): EndpointCounts {
  const counts: Record<DestinationId, number> = {};
  for (const id of new Set(ids)) {
    const destination = site.table.destinations.get(id);
    if (destination === undefined || !isService(site, destination.host)) continue;
    counts[id] = destination.endpoints.length;
  }
  return counts;
}

/** `name.namespace.svc...` is the form of a Service's host alone. */
function isService(site: Pick<SiteObjects, "object">, host: string): boolean {
  const [name = "", namespace = "", svc] = host.split(".");
  return svc === "svc" && site.object(kubeKinds.service, { namespace, name }) !== undefined;
}
