import { boundFindings } from "../diagnostics/bound-findings.ts";
import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";
import { leftIngresses } from "../mesh/ingress-manifests.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { buildGateway } from "./build-gateway.ts";
import type { GatewayBuilding } from "./build-http-chain.ts";
import { buildInbound } from "./build-inbound.ts";
import type { Findings } from "./build-routes.ts";
import { buildOutbound } from "./build-outbound.ts";
import type { DestinationSink } from "./destinations.ts";
import { findGatewayWorkloads, type GatewayWorkload } from "./gateway-workloads.ts";
import { findInboundPorts } from "./inbound-ports.ts";
import { mergeDelegates } from "./merge-delegates.ts";
import type { Destination, DestinationId, Proxy, RouteTable, UnservedHost } from "./route-table.ts";
import type { Secret, SecretId } from "./route-table-tls.ts";
import { createSecretStore } from "./secret-store.ts";
import { gatewaysOf, visibilityFrom } from "./virtual-service-binding.ts";
import { SplitNames } from "./split-names.ts";

/**
 * The routing of every gateway listener, as Istio would send it to a proxy that plays that gateway, and of every
 * workload with a sidecar. Never throws: what cannot be carried is left out and reported (KIR1100 to KIR1199). A rule
 * whose destination does not exist stays, with an arm that no destination stands behind, because that is what callers
 * then meet (503 NC). Source: Istio `pilot/pkg/networking/core/gateway.go`; field rules in the functions it is made of.
 */
export function buildRouteTable(mesh: Mesh): {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
} {
  const destinations = new Map<DestinationId, Destination>();
  const secrets = new Map<SecretId, Secret>();
  const findings: Findings = new Map();
  const config = meshConfigOf(mesh);
  const inboundPorts = findInboundPorts(mesh);
  const sink: DestinationSink = { destinations, secrets: createSecretStore(mesh, secrets), findings, inboundPorts };
  const virtualServices = mergeDelegates(mesh.virtualServices, config);
  const building: GatewayBuilding = { mesh, config, virtualServices, sink, served: new Set() };
  const workloads = findGatewayWorkloads(mesh);
  const gateways = workloads.map((workload) => buildGateway(workload, building));
  const names = new SplitNames();
  const httpRoutings = gateways
    .flatMap((parts) => parts.httpRoutings)
    .map((routing) => ({ ...routing, virtualHosts: names.apply(routing.virtualHosts) }));
  const outbound = buildOutbound({ mesh: { ...mesh, virtualServices }, sink, names });
  const inbound = buildInbound(mesh, inboundPorts);
  for (const destination of inbound.destinations) destinations.set(destination.id, destination);
  for (const finding of hiddenVirtualServices(building, workloads)) {
    findings.set(`${finding.code} ${finding.resource}`, finding);
  }
  const table: RouteTable = {
    proxies: new Map([...workloads.map(describeProxy), ...outbound.proxies].map((proxy) => [proxy.id, proxy])),
    listeners: [...gateways.flatMap((parts) => parts.listeners), ...outbound.listeners, ...inbound.listeners],
    httpRoutings: [...httpRoutings, ...outbound.httpRoutings],
    destinations,
    secrets,
    unserved: [...unservedHosts(building, workloads), ...unservedIngressHosts(mesh)],
  };
  return { table, diagnostics: boundFindings([...findings.values()], "of what its routes cannot carry") };
}

function describeProxy({ id, namespace, labels }: GatewayWorkload): Proxy {
  return { id, kind: "gateway", namespace, labels };
}

function hiddenVirtualServices(
  { virtualServices, config }: GatewayBuilding,
  workloads: readonly GatewayWorkload[],
): readonly Diagnostic[] {
  return virtualServices.flatMap((virtualService) => {
    const workload = hidingWorkload(virtualService, { workloads, config });
    if (workload === undefined) {
      return [];
    }
    return [
      diagnostic("KIR1106", {
        message: `exportTo hides the rules from gateway workload ${workload.id} in namespace ${workload.namespace}.`,
        hint: `Add ${workload.namespace} to exportTo, or leave exportTo out.`,
        resource: resourceName(virtualService),
        at: virtualService.at,
      }),
    ];
  });
}

function hidingWorkload(
  virtualService: VirtualServiceManifest,
  { workloads, config }: { readonly workloads: readonly GatewayWorkload[]; readonly config: GatewayBuilding["config"] },
): GatewayWorkload | undefined {
  const byDefault = config.defaultVirtualServiceExportTo;
  const gateways = new Set(gatewaysOf(virtualService));
  return workloads.find(
    (workload) =>
      // Few are hidden, and a workload may play ten thousand Gateways.
      visibilityFrom(virtualService, { namespace: workload.namespace, byDefault }) === "hidden" &&
      workload.gateways.some((gateway) => gateways.has(objectName(gateway))),
  );
}

function unservedHosts(
  { mesh, config, virtualServices, served }: GatewayBuilding,
  workloads: readonly GatewayWorkload[],
): readonly UnservedHost[] {
  const known = new Set(mesh.gateways.map(objectName));
  return virtualServices.flatMap((virtualService) => {
    const name = objectName(virtualService);
    const hosts = virtualService.spec.hosts
      .map((host) => resolveHost(host, virtualService.metadata.namespace))
      .filter((host) => !served.has(`${name} ${host}`));
    if (hosts.length === 0) {
      return [];
    }
    const reason = whyUnserved(virtualService, { known, workloads, config });
    const made = virtualService.madeFrom === undefined ? {} : { madeFrom: virtualService.madeFrom };
    return hosts.map((host) => ({ virtualService: name, host, reason, at: virtualService.at, ...made }));
  });
}

/** Hosts of Ingresses that belong to another controller, or to none. */
function unservedIngressHosts({ manifests }: Mesh): readonly UnservedHost[] {
  return leftIngresses(manifests).flatMap(({ ingress, reason }) =>
    ingress.spec.rules.map(({ host, at }) => ({
      virtualService: objectName(ingress),
      host: host ?? "*",
      reason,
      at,
      madeFrom: resourceName(ingress),
    })),
  );
}

function whyUnserved(
  virtualService: VirtualServiceManifest,
  {
    known,
    workloads,
    config,
  }: { readonly known: ReadonlySet<string>; readonly workloads: readonly GatewayWorkload[] } & Pick<
    GatewayBuilding,
    "config"
  >,
): string {
  const gateways = gatewaysOf(virtualService).filter((gateway) => gateway !== "mesh");
  if (gateways.length === 0) {
    return "it is bound to the mesh only, that is to callers with a sidecar, and to no gateway";
  }
  const missing = gateways.filter((gateway) => !known.has(gateway));
  if (missing.length === gateways.length) {
    return `it is bound to ${missing.join(", ")}, which does not exist`;
  }
  if (hidingWorkload(virtualService, { workloads, config }) !== undefined) {
    return "its exportTo hides it from the gateway";
  }
  const { http } = virtualService.spec;
  return http.length === 0
    ? `no server of ${gateways.join(", ")} takes its tcp or tls rules, or an older VirtualService has it`
    : `it is bound to ${gateways.join(", ")}, whose servers do not admit this host`;
}
