import type { ObjectMeta } from "../manifest.ts";
import { complainFqdn, isHttpProtocol, isIpAddress, isTlsProtocol } from "../names.ts";
import type { ServiceEntrySpec } from "../service-entry.ts";
import { isUnixAddress } from "./unix-address.ts";

/**
 * What of a ServiceEntry may not stand together; the first conflict there is. Source: Istio
 * `pkg/config/validation/validation.go`, ValidateServiceEntry, and the rules of the CRD.
 */
export function findServiceEntryConflict(spec: ServiceEntrySpec, metadata: ObjectMeta): string | undefined {
  return findGeneralConflict(spec) ?? findPortConflict(spec) ?? findResolutionConflict(spec, metadata);
}

function findGeneralConflict({
  workloadSelector,
  endpoints,
  addresses,
  resolution,
}: ServiceEntrySpec): string | undefined {
  if (workloadSelector !== undefined && endpoints.length > 0) {
    return "must not have both workloadSelector and endpoints";
  }
  const takesRanges = resolution === "NONE" || resolution === "STATIC";
  return addresses.some((entry) => entry.includes("/")) && !takesRanges
    ? `must not have a CIDR range in addresses with resolution ${resolution}`
    : undefined;
}

function findPortConflict({ endpoints, ports, hosts, resolution }: ServiceEntrySpec): string | undefined {
  const names = new Set(ports.map((port) => port.name));
  const stray = endpoints.flatMap((endpoint) => Object.keys(endpoint.ports)).find((name) => !names.has(name));
  if (stray !== undefined) {
    return `has an endpoint with the port "${stray}", which is not among its ports`;
  }
  const blind = ports.find(({ protocol }) => !isHttpProtocol(protocol) && !isTlsProtocol(protocol));
  return resolution !== "NONE" && hosts.length > 1 && blind !== undefined
    ? `has several hosts, and connections to the port "${blind.name}" (${blind.protocol}) do not tell which is meant`
    : undefined;
}

function findResolutionConflict(spec: ServiceEntrySpec, metadata: ObjectMeta): string | undefined {
  switch (spec.resolution) {
    case "NONE":
      return spec.endpoints.length > 0 ? "must not have endpoints with resolution NONE" : undefined;
    case "STATIC":
      return findStaticConflict(spec);
    case "DNS_ROUND_ROBIN":
    case "DNS":
      return findDnsConflict(spec);
    case "DYNAMIC_DNS":
      return findDynamicConflict(spec, metadata);
  }
}

function findStaticConflict({ endpoints, ports }: ServiceEntrySpec): string | undefined {
  const addresses = endpoints.flatMap(({ address }) => (address === undefined ? [] : [address]));
  if (addresses.some((address) => !isUnixAddress(address) && !isIpAddress(address))) {
    return "must have IP addresses for its endpoints with resolution STATIC";
  }
  return addresses.some(isUnixAddress) && ports.length !== 1
    ? "has an endpoint that is a Unix socket, and then it must have one port"
    : undefined;
}

function findDnsConflict({ resolution, endpoints, hosts }: ServiceEntrySpec): string | undefined {
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1) {
    return "must have at most one endpoint with resolution DNS_ROUND_ROBIN";
  }
  if (endpoints.some(({ address }) => address === undefined || isUnixAddress(address))) {
    return `must have IP addresses or DNS names for its endpoints with resolution ${resolution}`;
  }
  const name = endpoints.length > 0 ? undefined : hosts.find((host) => complainFqdn(host) !== undefined);
  return name === undefined
    ? undefined
    : `needs endpoints, because the host "${name}" cannot be looked up with resolution ${resolution}`;
}

const dynamicProtocols = ["HTTP", "TLS", "GRPC", "HTTP2"];

function findDynamicConflict(spec: ServiceEntrySpec, metadata: ObjectMeta): string | undefined {
  const exact = spec.hosts.find((host) => !host.startsWith("*"));
  if (exact !== undefined) {
    return `must have wildcard hosts only with resolution DYNAMIC_DNS, but has "${exact}"`;
  }
  if (spec.addresses.length > 0 || spec.endpoints.length > 0) {
    return "must have neither addresses nor endpoints with resolution DYNAMIC_DNS";
  }
  const other = spec.ports.find(({ protocol }) => !dynamicProtocols.includes(protocol));
  if (other !== undefined) {
    return `must have ports that speak ${dynamicProtocols.join(", ")} with resolution DYNAMIC_DNS, but has ${other.protocol}`;
  }
  const waypoint = metadata.labels["istio.io/use-waypoint"] ?? "";
  return spec.location === "MESH_INTERNAL" && !["", "none"].includes(waypoint.toLowerCase())
    ? "must not be MESH_INTERNAL with resolution DYNAMIC_DNS and a waypoint"
    : undefined;
}
