import { objectName, type ServiceEntryManifest } from "../manifest/manifest.ts";
import { isIpAddress } from "../manifest/names.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import type { ServiceEntrySpec } from "../manifest/service-entry.ts";
import { addressEndpoint, type EndpointSources, selectEndpoints } from "./find-endpoints.ts";
import { resolveHost } from "./host-name.ts";
import type { HostName, MeshEndpoint, MeshService } from "./mesh.ts";
import { entryProtocol } from "./port-protocol.ts";
import { resolveExports } from "./service-directory.ts";

/** One host of a ServiceEntry. Source: Istio `pilot/pkg/serviceregistry/serviceentry/conversion.go`, convertServices. */
export function buildEntryService(
  manifest: ServiceEntryManifest,
  host: string,
  { sources, config }: { readonly sources: EndpointSources; readonly config: MeshConfig },
): MeshService {
  const { spec, metadata } = manifest;
  const name = resolveHost(host, metadata.namespace);
  const exportTo = spec.exportTo.length === 0 ? config.defaultServiceExportTo : spec.exportTo;
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
    endpoints: entryEndpoints(manifest, name, sources),
    exportedTo: resolveExports(exportTo, metadata.namespace),
    subjectAltNames: spec.subjectAltNames,
    ...(spec.addresses.some(isIpAddress) ? { addresses: spec.addresses.filter(isIpAddress) } : {}),
  };
}

function entryResolution({ spec }: ServiceEntryManifest): MeshService["resolution"] {
  switch (spec.resolution) {
    case "NONE":
      return "none";
    case "STATIC":
      return "static";
    case "DNS":
      return "dns";
    case "DNS_ROUND_ROBIN":
      return "logicalDns";
    case "DYNAMIC_DNS":
      return "requestHost";
  }
}

function entryEndpoints(
  { spec, metadata }: ServiceEntryManifest,
  host: HostName,
  sources: EndpointSources,
): readonly MeshEndpoint[] {
  if (spec.resolution === "NONE" || spec.resolution === "DYNAMIC_DNS") {
    return [];
  }
  if (spec.workloadSelector !== undefined) {
    const { namespace } = metadata;
    const selected = selectEndpoints({ namespace, selector: spec.workloadSelector, ports: spec.ports }, sources);
    return selected.filter((endpoint) => isDialled(endpoint, spec.resolution));
  }
  if (spec.endpoints.length > 0) {
    return spec.endpoints.flatMap((endpoint) => addressEndpoint(endpoint, spec.ports) ?? []);
  }
  const itself = { address: host, labels: {}, ports: {}, weight: undefined, locality: undefined };
  return spec.resolution === "STATIC" ? [] : [addressEndpoint(itself, spec.ports) ?? []].flat();
}

/** A proxy looks names up only where the resolution says so, and sockets are never looked up. */
function isDialled({ source }: MeshEndpoint, resolution: ServiceEntrySpec["resolution"]): boolean {
  if (source.kind !== "address") {
    return true;
  }
  const isSocket = source.address.startsWith("unix://");
  return resolution === "STATIC" ? isSocket || isIpAddress(source.address) : !isSocket;
}
