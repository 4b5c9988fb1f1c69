import type { RouteTable, SplitId } from "../../core/routes/route-table.ts";
import type { KubeApi, ListOptions } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { PodPlace } from "../../kubernetes/pod-reach.ts";
import { isPodReady, proxyIdOf } from "./pod-state.ts";
import { readSpec, readStatus } from "./read-spec.ts";
import type { SiteView } from "./site-view.ts";

/** Which proxies need some routes, said by their labels and places and not by their names, because pods come and go. */
export interface Need {
  /** Labels of gateway workloads; one that is empty means every gateway (Istio, Gateway, `selector`). */
  readonly gateways: readonly Readonly<Record<string, string>>[];
  /** Namespaces of the workloads with a sidecar that see the routes; `*` is all, undefined none. */
  readonly sidecars: "*" | ReadonlySet<string> | undefined;
  /** Where pods are looked for by somebody who may not list those of all namespaces. */
  readonly places: readonly string[];
}

export interface NeededProxy {
  /** `pod.namespace`, as istiod calls it. */
  readonly id: string;
  readonly pod: PodPlace["pod"];
  readonly role: "gateway" | "sidecar";
  /** Changes when the pod is another one, or its containers began anew. */
  readonly life: string;
}

/** Every pod that Istio's webhook has given a proxy carries it (Istio, injection template, `canonical-name`). */
const injectedLabel = "service.istio.io/canonical-name";

/**
 * Reads from VirtualServices (`namespace/name`) which gateways serve them and who else sees them. A gateway whose hosts
 * do not meet theirs is named too: it shows none of the routes, and istiod has none for it.
 */
export function findNeed(view: SiteView, names: Iterable<string>): Need {
  const services = [...names].flatMap((name) => view.object(kubeKinds.virtualService, splitName(name)) ?? []);
  const gateways = services
    .flatMap((service) => gatewayNames(service))
    .flatMap((name) => view.object(kubeKinds.gateway, splitName(name)) ?? []);
  return { gateways: uniqueLabels(gateways.map(selectorOf)), sidecars: sidecarsOf(services), places: placesOf(view) };
}

/** The pods of every Gateway. */
export function gatewaysOf(view: SiteView): Need {
  return {
    gateways: uniqueLabels(view.objects(kubeKinds.gateway).map(selectorOf)),
    sidecars: undefined,
    places: placesOf(view),
  };
}

/** Where there are pods that could be seen, and where gateways and routes are. */
function placesOf(view: SiteView): readonly string[] {
  const kinds = [kubeKinds.pod, kubeKinds.gateway, kubeKinds.virtualService];
  const objects = kinds.flatMap((kind) => [...view.objects(kind)]);
  return [...new Set(objects.map(({ metadata }) => metadata.namespace ?? ""))];
}

async function listPods(api: KubeApi, options: ListOptions, places: readonly string[]): Promise<readonly KubeObject[]> {
  try {
    return (await api.list(kubeKinds.pod, options)).items;
  } catch (error) {
    if (!isForbidden(error) || options.namespace !== undefined) throw error;
  }
  const found = await Promise.all(places.map((namespace) => listPlace(api, { ...options, namespace })));
  return found.flat();
}

/** Pods of a namespace that may not be looked into are known to istiod, if to anybody. */
async function listPlace(api: KubeApi, options: ListOptions): Promise<readonly KubeObject[]> {
  try {
    return (await api.list(kubeKinds.pod, options)).items;
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof KubeError && error.status === 403;
}

/** The pods that need it now, and are there to be asked: Ready, and not about to end. */
export async function listNeeded(api: KubeApi, need: Need): Promise<readonly NeededProxy[]> {
  const found = new Map<string, NeededProxy>();
  for (const labels of need.gateways) {
    const labelSelector = renderSelector(labels);
    const items = await listPods(api, { labelSelector: labelSelector || injectedLabel }, need.places);
    for (const pod of items) {
      if (labelSelector === "" && !isGateway(pod)) continue;
      place(found, pod, "gateway");
    }
  }
  if (need.sidecars === undefined) return [...found.values()];
  const namespaces = need.sidecars === "*" ? [undefined] : [...need.sidecars];
  for (const namespace of namespaces) {
    const items = await listPods(api, { namespace, labelSelector: injectedLabel }, need.places);
    for (const pod of items) if (!isGateway(pod)) place(found, pod, "sidecar");
  }
  return [...found.values()];
}

function place(found: Map<string, NeededProxy>, pod: KubeObject, role: NeededProxy["role"]): void {
  if (!isPodReady(pod)) return;
  const name = { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name };
  const id = proxyIdOf(name);
  if (!found.has(id)) found.set(id, { id, pod: name, role, life: lifeOf(pod) });
}

/** The VirtualServices (`namespace/name`) that the routes of these splits were read from. */
export function findServices({ httpRoutings }: RouteTable, splits: ReadonlySet<SplitId>): readonly string[] {
  const names = new Set<string>();
  for (const { action, origin } of httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }) => routes),
  )) {
    if (action.kind === "forward" && splits.has(action.split.id)) names.add(origin.virtualService);
  }
  return [...names];
}

/** `gw` and `./gw` are of the VirtualService's namespace (Istio, VirtualService, `gateways`). */
function gatewayNames(service: KubeObject): readonly string[] {
  const { gateways = [] } = readSpec<Exported>(service);
  return gateways
    .filter((name) => name !== "mesh")
    .map((name) =>
      name.includes("/") && !name.startsWith("./")
        ? name
        : `${service.metadata.namespace ?? ""}/${name.replace("./", "")}`,
    );
}

function selectorOf(gateway: KubeObject): Readonly<Record<string, string>> {
  return readSpec<{ readonly selector: Readonly<Record<string, string>> }>(gateway).selector ?? {};
}

function splitName(name: string): PodPlace["pod"] {
  const [namespace = "", rest = ""] = name.split("/");
  return { namespace, name: rest };
}

interface Exported {
  readonly gateways: readonly string[];
  readonly exportTo: readonly string[];
}

/** A VirtualService without gateways is for callers inside the mesh; `exportTo` says whose (Istio, VirtualService). */
function sidecarsOf(services: readonly KubeObject[]): Need["sidecars"] {
  const namespaces = new Set<string>();
  for (const service of services) {
    const { metadata } = service;
    const { gateways = ["mesh"], exportTo = ["*"] } = readSpec<Exported>(service);
    if (!gateways.includes("mesh") && gateways.length > 0) continue;
    if (exportTo.includes("*") || exportTo.length === 0) return "*";
    for (const name of exportTo) if (name !== "~") namespaces.add(name === "." ? (metadata.namespace ?? "") : name);
  }
  return namespaces.size === 0 ? undefined : namespaces;
}

/** A gateway whose pod template names the injection template `gateway` has a proxy and no application. */
function isGateway({ metadata }: KubeObject): boolean {
  return (metadata.annotations?.["inject.istio.io/templates"] ?? "").split(",").includes("gateway");
}

function renderSelector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function uniqueLabels(all: Need["gateways"]): Need["gateways"] {
  return [...new Map(all.map((labels) => [renderSelector(labels), labels])).values()];
}

interface Restarts {
  readonly containerStatuses: readonly { readonly restartCount?: number }[];
}

function lifeOf(pod: KubeObject): string {
  const { containerStatuses = [] } = readStatus<Restarts>(pod);
  return [pod.metadata.uid, ...containerStatuses.map(({ restartCount = 0 }) => restartCount)].join("/");
}
