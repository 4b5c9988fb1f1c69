import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames, nearestName } from "../manifest/decode/nearest-name.ts";
import {
  type GatewayManifest,
  type ObjectName,
  objectName,
  resourceName,
  type VirtualServiceManifest,
} from "../manifest/manifest.ts";
import { AdmittedHosts, writtenHosts } from "./admitted-hosts.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { resolveHost } from "./host-name.ts";
import type { Mesh } from "./mesh.ts";

/** Gateways that do not exist, hosts that no server of the Gateway admits, and mesh hosts with two owners. */
export function checkVirtualServiceHosts(mesh: Mesh): readonly Diagnostic[] {
  const gateways = new Map(mesh.gateways.map((gateway) => [objectName(gateway), gateway] as const));
  const admitted = new Map([...gateways].map(([name, gateway]) => [name, new AdmittedHosts(gateway)] as const));
  const bound = mesh.virtualServices.flatMap((service) => checkBinding(service, gateways, admitted));
  return [...bound, ...checkMeshOwners(mesh.virtualServices)];
}

function checkBinding(
  service: VirtualServiceManifest,
  gateways: ReadonlyMap<ObjectName, GatewayManifest>,
  admitted: ReadonlyMap<ObjectName, AdmittedHosts>,
): readonly Diagnostic[] {
  const { namespace } = service.metadata;
  const diagnostics: Diagnostic[] = [];
  for (const name of new Set(gatewayNamesOf(service))) {
    const fullName = resolveGatewayName(name, namespace);
    if (fullName === undefined) {
      continue;
    }
    const gateway = gateways.get(fullName);
    if (gateway === undefined) {
      diagnostics.push(reportMissingGateway(service, { name, fullName }, [...gateways.keys()].slice(0, 1000)));
      continue;
    }
    for (const host of service.spec.hosts) {
      if (admitted.get(fullName)?.admits(resolveHost(host, namespace), namespace) !== true) {
        diagnostics.push(reportForeignHost(service, gateway, host));
      }
    }
  }
  return diagnostics;
}

function gatewayNamesOf(service: VirtualServiceManifest): readonly string[] {
  const inMatches = service.spec.http.flatMap((rule) => rule.match.flatMap((match) => match.gateways));
  return [...service.spec.gateways, ...inMatches];
}

function reportMissingGateway(
  service: VirtualServiceManifest,
  wanted: { readonly name: string; readonly fullName: string },
  known: readonly string[],
): Diagnostic {
  const nearest = nearestName(wanted.fullName, known);
  const elsewhere = known.find((candidate) => candidate.endsWith(`/${wanted.name}`));
  const guess = elsewhere ?? nearest;
  return diagnostic("KIR1020", {
    message:
      wanted.name === wanted.fullName
        ? `The gateway "${wanted.name}" does not exist.`
        : `The gateway "${wanted.name}" does not exist as "${wanted.fullName}".`,
    hint: guess === undefined ? `Known gateways: ${listNames(known)}.` : `Did you mean "${guess}"?`,
    resource: resourceName(service),
    at: service.at,
  });
}

function reportForeignHost(service: VirtualServiceManifest, gateway: GatewayManifest, host: string): Diagnostic {
  return diagnostic("KIR1028", {
    message: `The host "${host}" is not admitted by ${resourceName(gateway)}.`,
    hint: `Hosts of the Gateway: ${listNames([...new Set(writtenHosts(gateway))])}.`,
    resource: resourceName(service),
    at: service.at,
  });
}

/** Inside the mesh the first VirtualService for a host wins whole, so a second one for the same clients is an error. */
function checkMeshOwners(services: readonly VirtualServiceManifest[]): readonly Diagnostic[] {
  const owners = new Map<string, VirtualServiceManifest>();
  const diagnostics: Diagnostic[] = [];
  for (const service of services) {
    const { gateways, hosts } = service.spec;
    if (gateways.length > 0 && !gateways.includes("mesh")) {
      continue;
    }
    for (const host of hosts) {
      const name = resolveHost(host, service.metadata.namespace);
      const owner = owners.get(name);
      if (owner === undefined) {
        owners.set(name, service);
      } else if (owner !== service && exportsMeet(owner, service)) {
        diagnostics.push(
          diagnostic("KIR1032", {
            message: `The mesh host "${name}" belongs to ${resourceName(owner)} too, and only one of them counts.`,
            hint: "Put the rules for one host into one VirtualService.",
            resource: resourceName(service),
            at: service.at,
          }),
        );
      }
    }
  }
  return diagnostics;
}

function exportsMeet(left: VirtualServiceManifest, right: VirtualServiceManifest): boolean {
  const ofLeft = exportsOf(left);
  const ofRight = exportsOf(right);
  return ofLeft.some((name) => name === "*" || ofRight.includes(name)) || ofRight.includes("*");
}

function exportsOf(service: VirtualServiceManifest): readonly string[] {
  const { exportTo } = service.spec;
  const names = exportTo.length === 0 ? ["*"] : exportTo;
  return names.filter((name) => name !== "~").map((name) => (name === "." ? service.metadata.namespace : name));
}
