import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import {
  type LocalWorkloadManifest,
  type Manifest,
  objectName,
  resourceName,
  type ServiceEntryManifest,
  type ServiceManifest,
  type WorkloadEntryManifest,
} from "../manifest/manifest.ts";
import type { WorkloadEntrySpec } from "../manifest/service-entry.ts";
import type { ServicePort } from "../manifest/service.ts";
import { LabelIndex } from "./label-index.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, MeshEndpoint, MeshPort, MeshService } from "./mesh.ts";
import { entryProtocol, guessProtocol } from "./port-protocol.ts";

interface Surroundings {
  readonly localWorkloads: LabelIndex<LocalWorkloadManifest>;
  readonly workloadEntries: LabelIndex<WorkloadEntryManifest>;
}

/** A port of either kind of service, in the form in which endpoints are matched to it. */
interface DialledPort {
  readonly number: number;
  readonly name: string | undefined;
  readonly targetPort: number | string | undefined;
}

/**
 * Every host that traffic can be sent to. A Kubernetes Service wins over a ServiceEntry for the same host; of several
 * ServiceEntries those of the oldest one's namespace and resolution are read as one.
 * Source: Istio `pilot/pkg/serviceregistry/serviceentry/conversion.go`.
 */
export function buildServices(manifests: readonly Manifest[]): {
  services: ReadonlyMap<HostName, MeshService>;
  diagnostics: readonly Diagnostic[];
} {
  const surroundings: Surroundings = {
    localWorkloads: new LabelIndex(
      manifests.filter((manifest) => manifest.kind === "LocalWorkload"),
      { namespace: (manifest) => manifest.metadata.namespace, labels: (manifest) => manifest.spec.labels },
    ),
    workloadEntries: new LabelIndex(
      manifests.filter((manifest) => manifest.kind === "WorkloadEntry"),
      { namespace: (manifest) => manifest.metadata.namespace, labels: entryLabels },
    ),
  };
  const services = new Map<HostName, MeshService>();
  const diagnostics: Diagnostic[] = [];
  for (const manifest of manifests) {
    if (manifest.kind === "Service") {
      const service = buildService(manifest, surroundings);
      services.set(service.host, service);
    }
  }
  for (const manifest of manifests) {
    if (manifest.kind !== "ServiceEntry") {
      continue;
    }
    for (const host of manifest.spec.hosts) {
      const service = buildEntryService(manifest, host, surroundings);
      const known = services.get(service.host);
      const merged = known === undefined ? service : mergeEntryServices(known, service);
      if (merged === undefined) {
        diagnostics.push(reportTaken(manifest, service, known ?? service));
      } else {
        services.set(service.host, merged);
      }
    }
  }
  return { services, diagnostics };
}

function reportTaken(manifest: ServiceEntryManifest, service: MeshService, known: MeshService): Diagnostic {
  const owner = `${known.origin.kind} ${known.origin.name} (${renderPosition(known.origin.at)})`;
  return diagnostic("KIR1038", {
    message: `The host "${service.host}" is declared by ${owner} already, so this declaration of it has no effect.`,
    resource: resourceName(manifest),
    at: manifest.at,
  });
}

function buildService(manifest: ServiceManifest, surroundings: Surroundings): MeshService {
  const { spec, metadata } = manifest;
  const isExternal = spec.type === "ExternalName";
  const endpoints = isExternal
    ? [addressEndpoint({ address: spec.externalName ?? "", labels: {}, ports: {} }, spec.ports)]
    : selectEndpoints({ namespace: metadata.namespace, selector: spec.selector, ports: spec.ports }, surroundings);
  return {
    host: resolveHost(metadata.name, metadata.namespace),
    namespace: metadata.namespace,
    origin: { kind: "Service", name: objectName(manifest), at: manifest.at },
    ports: spec.ports.map(servicePort),
    resolution: isExternal ? "dns" : "static",
    endpoints,
  };
}

function servicePort(port: ServicePort): MeshPort {
  return { number: port.number, name: port.name, protocol: guessProtocol(port) };
}

function buildEntryService(manifest: ServiceEntryManifest, host: string, surroundings: Surroundings): MeshService {
  const { spec, metadata } = manifest;
  const name = resolveHost(host, metadata.namespace);
  return {
    host: name,
    namespace: metadata.namespace,
    origin: { kind: "ServiceEntry", name: objectName(manifest), at: manifest.at },
    ports: spec.ports.map((port) => ({
      number: port.number,
      name: port.name,
      protocol: entryProtocol(port.protocol),
    })),
    resolution: entryResolution(manifest),
    endpoints: entryEndpoints(manifest, name, surroundings),
  };
}

function entryResolution(manifest: ServiceEntryManifest): MeshService["resolution"] {
  switch (manifest.spec.resolution) {
    case "NONE":
      return "none";
    case "STATIC":
      return "static";
    case "DNS":
    case "DNS_ROUND_ROBIN":
    case "DYNAMIC_DNS":
      return "dns";
  }
}

function entryEndpoints(
  manifest: ServiceEntryManifest,
  host: HostName,
  surroundings: Surroundings,
): readonly MeshEndpoint[] {
  const { spec, metadata } = manifest;
  if (spec.resolution === "NONE" || spec.resolution === "DYNAMIC_DNS") {
    return [];
  }
  if (spec.workloadSelector !== undefined) {
    const { namespace } = metadata;
    return selectEndpoints({ namespace, selector: spec.workloadSelector, ports: spec.ports }, surroundings);
  }
  if (spec.endpoints.length > 0) {
    return spec.endpoints.flatMap((endpoint) => dialable(endpoint, endpoint.labels, spec.ports));
  }
  return spec.resolution === "STATIC" ? [] : [addressEndpoint({ address: host, labels: {}, ports: {} }, spec.ports)];
}

/** Ports and endpoints of both, where Istio reads the two as one; undefined where the known one takes the host. */
function mergeEntryServices(known: MeshService, added: MeshService): MeshService | undefined {
  const isMergeable =
    known.origin.kind === "ServiceEntry" &&
    known.namespace === added.namespace &&
    known.resolution === added.resolution &&
    added.ports.every((port) => !known.ports.some((other) => other.number === port.number));
  return isMergeable
    ? { ...known, ports: [...known.ports, ...added.ports], endpoints: [...known.endpoints, ...added.endpoints] }
    : undefined;
}

interface EndpointQuery {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly DialledPort[];
}

function selectEndpoints(query: EndpointQuery, surroundings: Surroundings): readonly MeshEndpoint[] {
  const { namespace, selector, ports } = query;
  const local = surroundings.localWorkloads
    .find(namespace, selector)
    .map((workload) => localEndpoint(workload, ports))
    .filter((endpoint) => endpoint.ports.size > 0);
  const entries = surroundings.workloadEntries
    .find(namespace, selector)
    .flatMap((entry) => dialable(entry.spec, entryLabels(entry), ports));
  return [...local, ...entries];
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

/** An entry without an address is behind the gateway of another network, which nothing here can reach. */
function dialable(
  entry: WorkloadEntrySpec,
  labels: MeshEndpoint["labels"],
  ports: readonly DialledPort[],
): readonly MeshEndpoint[] {
  const { address } = entry;
  return address === undefined ? [] : [addressEndpoint({ ...entry, address, labels }, ports)];
}

function addressEndpoint(
  endpoint: Pick<WorkloadEntrySpec, "labels" | "ports"> & {
    readonly address: string;
    readonly weight?: number | undefined;
  },
  ports: readonly DialledPort[],
): MeshEndpoint {
  return {
    labels: endpoint.labels,
    source: { kind: "address", address: endpoint.address },
    ports: new Map(ports.map((port) => [port.number, endpoint.ports[port.name ?? ""] ?? numericPort(port)])),
    weight: endpoint.weight,
  };
}

/** A target port with a name stands for a container's port, which an endpoint outside a container does not have. */
function numericPort(port: DialledPort): number {
  return typeof port.targetPort === "number" ? port.targetPort : port.number;
}

/** Labels of the metadata win over those of the spec. */
function entryLabels(entry: WorkloadEntryManifest): Readonly<Record<string, string>> {
  return { ...entry.spec.labels, ...entry.metadata.labels };
}
