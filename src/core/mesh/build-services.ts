import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import {
  type Manifest,
  objectName,
  resourceName,
  type ServiceEntryManifest,
  type ServiceManifest,
} from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import { exportToOf, type ServicePort } from "../manifest/service.ts";
import { buildEntryService } from "./build-entry-service.ts";
import {
  addressEndpoint,
  type EndpointSources,
  indexEndpointSources,
  selectEntries,
  selectLocal,
  selectPods,
  sliceEndpoints,
} from "./find-endpoints.ts";
import { resolveHost } from "./host-name.ts";
import { mergeServices } from "./merge-services.ts";
import type { HostName, MeshEndpoint, MeshPort, MeshService } from "./mesh.ts";
import { guessProtocol } from "./port-protocol.ts";
import { resolveExports } from "./service-directory.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/**
 * Every host that traffic can be sent to. A Kubernetes Service wins over a ServiceEntry for the same host; of several
 * ServiceEntries the oldest counts, with what the others add to it.
 * Source: Istio `pilot/pkg/serviceregistry/serviceentry/conversion.go`.
 */
export function buildServices(manifests: readonly Manifest[]): {
  services: ReadonlyMap<HostName, MeshService>;
  diagnostics: readonly Diagnostic[];
} {
  const surroundings = { sources: indexEndpointSources(manifests), config: meshConfigOf({ manifests }) };
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
      const merged = known === undefined ? service : mergeServices(known, service);
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

function buildService(
  manifest: ServiceManifest,
  { sources, config }: { readonly sources: EndpointSources; readonly config: MeshConfig },
): MeshService {
  const { spec, metadata } = manifest;
  const alias = spec.type === "ExternalName" ? spec.externalName : undefined;
  const exportTo = exportToOf(metadata) ?? config.defaultServiceExportTo;
  return {
    host: resolveHost(metadata.name, metadata.namespace),
    namespace: metadata.namespace,
    origin: { kind: "Service", name: objectName(manifest), at: manifest.at },
    ports: spec.ports.map(servicePort),
    resolution: alias === undefined ? "static" : "dns",
    endpoints: alias === undefined ? serviceEndpoints(manifest, sources) : aliasEndpoints(manifest, alias),
    exportedTo: resolveExports(exportTo, metadata.namespace),
    subjectAltNames: [],
    ...(alias === undefined ? {} : { aliasOf: alias.toLowerCase() }),
    ...(spec.clusterIps.length === 0 ? {} : { addresses: spec.clusterIps }),
    ...(spec.isHeadless ? { hasPodNames: true as const } : {}),
    ...(spec.trafficDistribution === undefined ? {} : { trafficDistribution: spec.trafficDistribution }),
  };
}

/** LocalWorkloads stand in for pods; without any, what Kubernetes has written down counts, and else the pods. */
function serviceEndpoints(manifest: ServiceManifest, sources: EndpointSources): readonly MeshEndpoint[] {
  const { spec, metadata } = manifest;
  const { selector, ports, publishNotReadyAddresses: takesUnready } = spec;
  const query = { namespace: metadata.namespace, selector, ports, takesUnready };
  const local = selectLocal(query, sources);
  const pods =
    local.length > 0 ? local : (sliceEndpoints(objectName(manifest), ports, sources) ?? selectPods(query, sources));
  return [...pods, ...selectEntries(query, sources).flatMap((entry) => addressEndpoint(entry, spec.ports) ?? [])];
}

function aliasEndpoints({ spec }: ServiceManifest, address: string): readonly MeshEndpoint[] {
  const endpoint = { address, labels: {}, ports: {}, weight: undefined, locality: undefined };
  return [addressEndpoint(endpoint, spec.ports) ?? []].flat();
}

function servicePort(port: ServicePort): MeshPort {
  return { number: port.number, name: port.name, protocol: guessProtocol(port) };
}
