import {
  type EndpointSliceManifest,
  isWorkload,
  type LocalWorkloadManifest,
  type Manifest,
  objectName,
  type ObjectName,
  type WorkloadEntryManifest,
  type WorkloadGroupManifest,
  type WorkloadManifest,
} from "../manifest/manifest.ts";
import type { SliceEndpoint } from "../manifest/endpoint-slice.ts";
import type { WorkloadEntrySpec } from "../manifest/service-entry.ts";
import { LabelIndex } from "./label-index.ts";
import type { MeshEndpoint } from "./mesh.ts";

/** A port of either kind of service, in the form in which endpoints are matched to it. */
export interface DialledPort {
  readonly number: number;
  readonly name: string | undefined;
  readonly targetPort: number | string | undefined;
}

export interface EndpointQuery {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly DialledPort[];
  /** Whether pods count that are not ready yet, which is for the Service to say. */
  readonly takesUnready?: boolean | undefined;
}

/** Everything that can stand behind a service. */
export interface EndpointSources {
  readonly localWorkloads: LabelIndex<LocalWorkloadManifest>;
  readonly workloadEntries: LabelIndex<WorkloadEntryManifest>;
  readonly pods: LabelIndex<WorkloadManifest>;
  readonly podLabels: ReadonlyMap<ObjectName, Readonly<Record<string, string>>>;
  /** By `namespace/service`. */
  readonly slices: ReadonlyMap<ObjectName, readonly EndpointSliceManifest[]>;
}

export function indexEndpointSources(manifests: readonly Manifest[]): EndpointSources {
  const groups = new Map<ObjectName, WorkloadGroupManifest>();
  const slices = new Map<ObjectName, EndpointSliceManifest[]>();
  const pods = manifests.filter(
    (manifest): manifest is WorkloadManifest => isWorkload(manifest) && manifest.kind === "Pod",
  );
  for (const manifest of manifests) {
    if (manifest.kind === "WorkloadGroup") groups.set(objectName(manifest), manifest);
    if (manifest.kind === "EndpointSlice" || manifest.kind === "Endpoints") addSlice(slices, manifest);
  }
  const entries = manifests
    .filter((manifest) => manifest.kind === "WorkloadEntry")
    .map((manifest) => withGroupLabels(manifest, groups));
  return {
    localWorkloads: new LabelIndex(
      manifests.filter((manifest) => manifest.kind === "LocalWorkload"),
      { namespace: namespaceOf, labels: (manifest) => manifest.spec.labels },
    ),
    workloadEntries: new LabelIndex(entries, { namespace: namespaceOf, labels: (manifest) => manifest.spec.labels }),
    pods: new LabelIndex(pods, { namespace: namespaceOf, labels: (manifest) => manifest.spec.podLabels }),
    podLabels: new Map(pods.map((pod) => [objectName(pod), pod.spec.podLabels])),
    slices,
  };
}

function namespaceOf({ metadata }: Manifest): string {
  return metadata.namespace;
}

function addSlice(slices: Map<ObjectName, EndpointSliceManifest[]>, manifest: EndpointSliceManifest): void {
  if (manifest.spec.service === undefined) return;
  const name = `${manifest.metadata.namespace}/${manifest.spec.service}`;
  const list = slices.get(name);
  if (list === undefined) slices.set(name, [manifest]);
  else list.push(manifest);
}

/** Labels of the metadata win over those of the spec, and both over those of the group that it has joined. */
function withGroupLabels(
  entry: WorkloadEntryManifest,
  groups: ReadonlyMap<ObjectName, WorkloadGroupManifest>,
): WorkloadEntryManifest {
  const joined = entry.metadata.annotations["istio.io/autoRegistrationGroup"];
  const group = joined === undefined ? undefined : groups.get(`${entry.metadata.namespace}/${joined}`);
  const labels = {
    ...group?.spec.labels,
    ...group?.spec.template.labels,
    ...entry.spec.labels,
    ...entry.metadata.labels,
  };
  return { ...entry, spec: { ...entry.spec, labels } };
}

/**
 * What a selector selects in its namespace: LocalWorkloads stand in for pods, so pods count only where there are none;
 * WorkloadEntries count beside both. Source: Istio `pilot/pkg/serviceregistry/serviceentry/conversion.go`.
 */
export function selectEndpoints(query: EndpointQuery, sources: EndpointSources): readonly MeshEndpoint[] {
  const { ports } = query;
  const local = selectLocal(query, sources);
  const pods = local.length > 0 ? local : selectPods(query, sources);
  return [...pods, ...selectEntries(query, sources).flatMap((entry) => addressEndpoint(entry, ports) ?? [])];
}

export function selectLocal(
  { namespace, selector, ports }: EndpointQuery,
  sources: EndpointSources,
): readonly MeshEndpoint[] {
  return sources.localWorkloads
    .find(namespace, selector)
    .map((workload) => localEndpoint(workload, ports))
    .filter((endpoint) => endpoint.ports.size > 0);
}

export function selectEntries(
  { namespace, selector }: Pick<EndpointQuery, "namespace" | "selector">,
  sources: EndpointSources,
): readonly WorkloadEntrySpec[] {
  return sources.workloadEntries.find(namespace, selector).map(({ spec }) => spec);
}

/** Pods that were read from a cluster, with their addresses. */
export function selectPods(query: EndpointQuery, sources: EndpointSources): readonly MeshEndpoint[] {
  const { namespace, selector } = query;
  return sources.pods.find(namespace, selector).flatMap((pod) => podEndpoint(pod, query) ?? []);
}

function podEndpoint(
  { spec }: WorkloadManifest,
  { ports, takesUnready = false }: Pick<EndpointQuery, "ports" | "takesUnready">,
): MeshEndpoint | undefined {
  const { pod, podLabels, containerPorts } = spec;
  const isReady = pod?.isReady !== false || takesUnready;
  if (pod?.ip === undefined || !isReady || (pod.phase ?? "Running") !== "Running") {
    return undefined;
  }
  const dialled = ports.flatMap(({ number, targetPort }): readonly (readonly [number, number])[] => {
    if (typeof targetPort !== "string") return [[number, targetPort ?? number]];
    const container = containerPorts.find(({ name }) => name === targetPort);
    return container === undefined ? [] : [[number, container.number]];
  });
  return { labels: podLabels, source: { kind: "address", address: pod.ip }, ports: new Map(dialled) };
}

/**
 * The addresses that Kubernetes has written down for a Service; undefined where there is no slice for it at all. What it
 * calls ready counts, also while it terminates; slices of names are not read.
 * Source: Istio `pilot/pkg/serviceregistry/kube/controller/endpointslice.go`, endpointHealthStatus.
 */
export function sliceEndpoints(
  service: ObjectName,
  ports: readonly DialledPort[],
  sources: EndpointSources,
): readonly MeshEndpoint[] | undefined {
  return sources.slices
    .get(service)
    ?.filter(({ spec }) => spec.addressType !== "FQDN")
    .flatMap(({ spec }) =>
      spec.endpoints
        .filter(({ isReady }) => isReady)
        .flatMap((endpoint) => describeSliceEndpoint(endpoint, dialledPorts(endpoint, ports), sources)),
    );
}

function dialledPorts(endpoint: SliceEndpoint, ports: readonly DialledPort[]): ReadonlyMap<number, number> {
  const dialled = ports.flatMap((port): readonly (readonly [number, number])[] => {
    const written = endpoint.ports.find(({ name }) => (name ?? "") === (port.name ?? ""));
    return written === undefined ? [] : [[port.number, written.number ?? numericPort(port)]];
  });
  return new Map(dialled);
}

function describeSliceEndpoint(
  { addresses, pod, zone }: SliceEndpoint,
  ports: ReadonlyMap<number, number>,
  { podLabels }: EndpointSources,
): readonly MeshEndpoint[] {
  const labels = pod === undefined ? {} : (podLabels.get(`${pod.namespace}/${pod.name}`) ?? {});
  const placed = zone === undefined ? labels : { "topology.kubernetes.io/zone": zone, ...labels };
  return addresses.map((address) => ({ labels: placed, source: { kind: "address", address }, ports }));
}

function localEndpoint(workload: LocalWorkloadManifest, ports: readonly DialledPort[]): MeshEndpoint {
  const { targetPort, labels } = workload.spec;
  const served = ports.filter((port) => targetPort === undefined || targetPort === (port.targetPort ?? port.number));
  return {
    labels,
    source: { kind: "localWorkload", name: objectName(workload) },
    ports: new Map(served.map((port) => [port.number, numericPort(port)])),
  };
}

/**
 * The endpoint's own port of the name counts before the service's target port. Undefined for an endpoint without an
 * address, which is behind another network.
 */
export function addressEndpoint(
  endpoint: Pick<WorkloadEntrySpec, "address" | "labels" | "ports" | "weight" | "locality">,
  ports: readonly DialledPort[],
): MeshEndpoint | undefined {
  const { address, labels, weight, locality } = endpoint;
  if (address === undefined) {
    return undefined;
  }
  return {
    labels,
    source: { kind: "address", address },
    ports: new Map(ports.map((port) => [port.number, endpoint.ports[port.name ?? ""] ?? numericPort(port)])),
    weight,
    ...(locality === undefined ? {} : { locality }),
  };
}

/** A target port with a name stands for a container's port, which an endpoint outside a container does not have. */
function numericPort(port: DialledPort): number {
  return typeof port.targetPort === "number" ? port.targetPort : port.number;
}
