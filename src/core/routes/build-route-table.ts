import { boundFindings } from "../diagnostics/bound-findings.ts";
import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveHost } from "../mesh/host-name.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Findings } from "./build-routes.ts";
import { buildVirtualHosts } from "./build-virtual-hosts.ts";
import { createDestinationResolver } from "./destinations.ts";
import { bindServers, type BoundServer } from "./gateway-servers.ts";
import { findGatewayWorkloads, type GatewayWorkload } from "./gateway-workloads.ts";
import type {
  Destination,
  DestinationId,
  HttpRouting,
  Listener,
  ListenerServer,
  Proxy,
  RouteTable,
  UnservedHost,
} from "./route-table.ts";
import { gatewaysOf, indexByGateway, visibilityFrom } from "./virtual-service-binding.ts";

/**
 * The routing of every gateway listener, as Istio would send it to a proxy that plays that gateway. Never throws:
 * what cannot be carried is left out and reported (KIR1100 to KIR1199). A rule whose destination does not exist stays,
 * with an arm that no destination stands behind, because that is what callers then meet (503 NC).
 * Source: Istio `pilot/pkg/networking/core/gateway.go`; field rules in the functions it is made of.
 */
export function buildRouteTable(mesh: Mesh): {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
} {
  const destinations = new Map<DestinationId, Destination>();
  const findings: Findings = new Map();
  const served = new Set<string>();
  const workloads = findGatewayWorkloads(mesh);
  const parts = workloads.flatMap((workload) => buildListeners(workload, { mesh, destinations, findings, served }));
  for (const finding of hiddenVirtualServices(mesh, workloads)) {
    findings.set(`${finding.code} ${finding.resource}`, finding);
  }
  const table: RouteTable = {
    proxies: new Map(workloads.map((workload) => [workload.id, describeProxy(workload)])),
    listeners: parts.map(({ listener }) => listener),
    httpRoutings: parts.map(({ routing }) => routing),
    destinations,
    secrets: new Map(),
    unserved: unservedHosts(mesh, { workloads, served }),
  };
  return { table, diagnostics: boundFindings([...findings.values()], "of what its routes cannot carry") };
}

interface Building {
  readonly mesh: Mesh;
  readonly destinations: Map<DestinationId, Destination>;
  readonly findings: Findings;
  /** `namespace/name host` of every host that some server serves. */
  readonly served: Set<string>;
}

function describeProxy({ id, namespace, labels }: GatewayWorkload): Proxy {
  return { id, kind: "gateway", namespace, labels };
}

interface BuiltListener {
  readonly listener: Listener;
  readonly routing: HttpRouting;
}

function buildListeners(workload: GatewayWorkload, building: Building): readonly BuiltListener[] {
  const { mesh, findings, served } = building;
  const bound = bindServers(workload);
  for (const finding of bound.diagnostics) {
    findings.set(`${finding.resource} ${finding.message}`, finding);
  }
  const virtualServices = indexByGateway(mesh.virtualServices, workload.namespace);
  const destinations = createDestinationResolver(mesh, workload.namespace, building.destinations);
  return [...bound.byPort]
    .toSorted(([left], [right]) => left - right)
    .map(([port, servers]) => {
      const id = `${workload.id}:${port}`;
      const virtualHosts = buildVirtualHosts(
        {
          servers,
          virtualServices,
          place: { workload, port, destinations },
          onServed: (virtualService, host) => served.add(`${objectName(virtualService)} ${host}`),
        },
        findings,
      );
      return { listener: describeListener(workload, { id, port, servers }), routing: { id, virtualHosts } };
    });
}

function describeListener(
  workload: GatewayWorkload,
  { id, port, servers }: { readonly id: string; readonly port: number; readonly servers: readonly BoundServer[] },
): Listener {
  return {
    id,
    proxy: workload.id,
    role: { kind: "gateway" },
    port,
    bind: servers[0]?.server.bind,
    filterChains: [
      {
        id,
        servers: servers.map(describeServer),
        serverNames: [],
        tls: undefined,
        serves: { kind: "http", routing: id },
      },
    ],
  };
}

function describeServer({ gateway, server, bindings }: BoundServer): ListenerServer {
  return { gateway, server: server.name, hosts: bindings.map((binding) => binding.host), at: server.at };
}

function hiddenVirtualServices(mesh: Mesh, workloads: readonly GatewayWorkload[]): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((virtualService) => {
    const workload = hidingWorkload(virtualService, workloads);
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
  workloads: readonly GatewayWorkload[],
): GatewayWorkload | undefined {
  if (virtualService.spec.exportTo.length === 0) {
    return undefined;
  }
  const gateways = new Set(gatewaysOf(virtualService));
  return workloads.find(
    (workload) =>
      workload.gateways.some((gateway) => gateways.has(objectName(gateway))) &&
      visibilityFrom(virtualService, workload.namespace) === "hidden",
  );
}

function unservedHosts(
  mesh: Mesh,
  { workloads, served }: { readonly workloads: readonly GatewayWorkload[]; readonly served: ReadonlySet<string> },
): readonly UnservedHost[] {
  const known = new Set(mesh.gateways.map(objectName));
  return mesh.virtualServices.flatMap((virtualService) => {
    const name = objectName(virtualService);
    const hosts = virtualService.spec.hosts
      .map((host) => resolveHost(host, virtualService.metadata.namespace))
      .filter((host) => !served.has(`${name} ${host}`));
    if (hosts.length === 0) {
      return [];
    }
    const reason = whyUnserved(virtualService, { known, workloads });
    return hosts.map((host) => ({ virtualService: name, host, reason, at: virtualService.at }));
  });
}

function whyUnserved(
  virtualService: VirtualServiceManifest,
  { known, workloads }: { readonly known: ReadonlySet<string>; readonly workloads: readonly GatewayWorkload[] },
): string {
  const gateways = gatewaysOf(virtualService).filter((gateway) => gateway !== "mesh");
  if (gateways.length === 0) {
    return "it is bound to the mesh only, that is to callers with a sidecar, and to no gateway";
  }
  const missing = gateways.filter((gateway) => !known.has(gateway));
  if (missing.length === gateways.length) {
    return `it is bound to ${missing.join(", ")}, which does not exist`;
  }
  if (hidingWorkload(virtualService, workloads) !== undefined) {
    return "its exportTo hides it from the gateway";
  }
  return `it is bound to ${gateways.join(", ")}, whose HTTP servers do not admit this host`;
}
