import { KirikaeError } from "../../core/diagnostics/error.ts";
import { readDumpedRoutes } from "../../core/site/read-dumped-routes.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { type ControlPlaneReading, type ListedProxy, readControlPlane } from "./control-plane.ts";
import { findNeed, gatewaysOf, listNeeded, type Need, type NeededProxy } from "./needed-proxies.ts";
import { podOf } from "./pod-state.ts";
import { readRouteView } from "./route-evidence.ts";
import type { IstiodPlace, SiteView } from "./site-view.ts";

export interface ListingParts {
  readonly api: KubeApi;
  readonly view: SiteView;
  readonly istiods: () => Promise<readonly IstiodPlace[]>;
}

/**
 * Every proxy that serves these VirtualServices (`namespace/name`): the pods that should, and whoever else istiod lists
 * and has their routes for. One that is connected takes traffic whatever is said of its pod, and need not be a pod.
 */
export async function listServing(parts: ListingParts, services: readonly string[]): Promise<readonly NeededProxy[]> {
  return (await readServing(parts, services)).serving;
}

/** The same, with what all replicas of istiod said when they were asked for it. */
export async function readServing(
  parts: ListingParts,
  services: readonly string[],
): Promise<{ readonly serving: readonly NeededProxy[]; readonly controlPlane: ControlPlaneReading }> {
  const need = findNeed(parts.view, services);
  const [needed, controlPlane] = await readBoth(parts, need);
  const known = new Set(needed.map(({ id }) => id));
  const strangers = listStrangers(controlPlane, need).filter(({ proxy }) => !known.has(proxy.id));
  const isServing = await Promise.all(strangers.map(({ listed }) => serves(listed, new Set(services))));
  const others = strangers.filter((_, at) => isServing[at]).map(({ proxy }) => proxy);
  return { serving: [...needed, ...others], controlPlane };
}

/** Every gateway: the pods that Gateways select, and all others that istiod lists as such. */
export async function listGateways(parts: ListingParts): Promise<readonly NeededProxy[]> {
  const need = gatewaysOf(parts.view);
  const [needed, controlPlane] = await readBoth(parts, need);
  const known = new Set(needed.map(({ id }) => id));
  const strangers = listStrangers(controlPlane, need).filter(({ proxy }) => !known.has(proxy.id));
  return [...needed, ...strangers.map(({ proxy }) => proxy)];
}

/** The proxies that replicas of istiod list, of a kind that may need routes, as if each were a pod. */
export function listStrangers(
  { proxies }: ControlPlaneReading,
  { sidecars }: Need,
): readonly { readonly proxy: NeededProxy; readonly listed: ListedProxy }[] {
  return [...proxies.values()].flatMap((listed) => {
    const { proxy: id, kind } = listed.sync;
    const role = kind === "router" ? "gateway" : "sidecar";
    const pod = podOf(id);
    if (pod === undefined || (role === "sidecar" && sidecars === undefined)) return [];
    return [{ proxy: { id, pod, role, life: "" }, listed }];
  });
}

async function readBoth(
  { api, istiods }: ListingParts,
  need: Need,
): Promise<readonly [readonly NeededProxy[], ControlPlaneReading]> {
  const read = istiods().then((places) => readControlPlane(places));
  return await Promise.all([listNeeded(api, need), read]);
}

async function serves({ istiod, sync }: ListedProxy, services: ReadonlySet<string>): Promise<boolean> {
  try {
    const view = await readRouteView(istiod, sync.proxy);
    return readDumpedRoutes(view).some(({ routes }) =>
      routes.some(({ virtualService }) => services.has(virtualService)),
    );
  } catch (error) {
    if (error instanceof KirikaeError || error instanceof SyntaxError) return false;
    throw error;
  }
}
