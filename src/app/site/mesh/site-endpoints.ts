import type { EndpointCounts } from "../../../core/release/move/limit-return.ts";
import type { DestinationId, RouteTable } from "../../../core/routes/route-table.ts";
import { nameDestination } from "../../../core/routes/name-destination.ts";
import { resolveHost } from "../../../core/mesh/host-name.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { type Labels, matches } from "../objects/gateway-service.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

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

interface SliceParts {
  readonly endpoints?: readonly Endpoint[];
}

interface Endpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: { readonly ready?: boolean };
  readonly targetRef?: { readonly name?: string };
}

/** How many endpoints a destination has that are not ready. */
export type CountUnready = (id: DestinationId) => number;

/**
 * Counts endpoints that are not ready, and have no part in the table: of a subset by the labels of their pods. None for
 * what no EndpointSlice names. It knows the objects of the moment when it was made.
 */
export function createUnreadyCount(site: Pick<SiteObjects, "objects" | "object">): CountUnready {
  const rules = site.objects(kubeKinds.destinationRule);
  const unready = new Map<string, Endpoint[]>();
  for (const slice of site.objects(kubeKinds.endpointSlice)) {
    const { namespace = "", labels = {} } = slice.metadata;
    const away = (readParts(slice).endpoints ?? []).filter(({ conditions }) => conditions?.ready === false);
    const service = `${labels[serviceLabel] ?? ""}.${namespace}`;
    if (away.length > 0) unready.set(service, [...(unready.get(service) ?? []), ...away]);
  }
  return (id) => {
    const { host, subset } = nameDestination(id);
    const [service = "", namespace = ""] = host.split(".");
    const away = isService(site, host) ? (unready.get(`${service}.${namespace}`) ?? []) : [];
    const wanted = subset === null || away.length === 0 ? {} : labelsOf(rules, { host, subset });
    const own = away.filter(({ targetRef }) => {
      if (subset === null) return true;
      const pod = site.object(kubeKinds.pod, { namespace, name: targetRef?.name ?? "" });
      return wanted !== undefined && pod !== undefined && matches(wanted, pod.metadata.labels);
    });
    return new Set(own.map(({ addresses = [] }) => addresses[0])).size;
  };
}

/** Which Service a slice is of (Kubernetes, "Well-Known Labels"). */
const serviceLabel = "kubernetes.io/service-name";

/** Undefined where no DestinationRule has the subset. */
function labelsOf(
  rules: readonly KubeObject[],
  { host, subset }: { readonly host: string; readonly subset: string },
): Labels | undefined {
  for (const rule of rules) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istio's schema has been checked by the API server.
    const spec = (rule["spec"] ?? {}) as RuleParts;
    if (resolveHost(spec.host ?? "", rule.metadata.namespace ?? "") !== host) continue;
    const found = (spec.subsets ?? []).find(({ name }) => name === subset);
    if (found !== undefined) return found.labels ?? {};
  }
  return undefined;
}

interface RuleParts {
  readonly host?: string;
  readonly subsets?: readonly { readonly name: string; readonly labels?: Labels }[];
}

function readParts(slice: KubeObject): SliceParts {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
  return slice as unknown as SliceParts;
}

/** `name.namespace.svc...` is the form of a Service's host alone. */
function isService(site: Pick<SiteObjects, "object">, host: string): boolean {
  const [name = "", namespace = "", svc] = host.split(".");
  return svc === "svc" && site.object(kubeKinds.service, { namespace, name }) !== undefined;
}
