import {
  buildHttpChain,
  type BuiltChain,
  type ChainBuilding,
  describeServer,
  type GatewayBuilding,
  markServed,
} from "./build-http-chain.ts";
import { buildTcpRoute } from "./build-tcp-route.ts";
import { buildTlsChains } from "./build-tls-chains.ts";
import { createDestinationResolver } from "./destinations.ts";
import { createPortTranslation } from "./gateway-ports.ts";
import { bindServers, type BoundListener, type PlainServers } from "./gateway-servers.ts";
import type { GatewayWorkload } from "./gateway-workloads.ts";
import { reportGatewayServer, reportRefusedTcp } from "./report-gateway-server.ts";
import type { HttpRouting, Listener } from "./route-table.ts";
import { indexByGateway } from "./virtual-service-binding.ts";

export interface GatewayParts {
  readonly listeners: readonly Listener[];
  readonly httpRoutings: readonly HttpRouting[];
}

/**
 * The listeners of one gateway workload. A listener without a chain is left out: Istio opens no port that leads
 * nowhere. Source: Istio `pilot/pkg/networking/core/gateway.go`, buildGatewayListeners.
 */
export function buildGateway(workload: GatewayWorkload, building: GatewayBuilding): GatewayParts {
  const { mesh, config, sink, virtualServices } = building;
  const bound = bindServers(workload, createPortTranslation(mesh, workload));
  for (const finding of bound.diagnostics) {
    sink.findings.set(`${finding.resource} ${finding.message}`, finding);
  }
  const byGateway = indexByGateway(virtualServices, {
    namespace: workload.namespace,
    byDefault: config.defaultVirtualServiceExportTo,
  });
  const destinations = createDestinationResolver(mesh, workload, sink);
  const listeners: Listener[] = [];
  const httpRoutings: HttpRouting[] = [];
  for (const listener of bound.listeners) {
    const listenerId = idOf(workload, listener);
    const { findings } = sink;
    const chains = withIds(
      listenerId,
      buildChains({ ...building, workload, listener, listenerId, byGateway, destinations, findings }),
    );
    if (chains.length === 0) {
      continue;
    }
    httpRoutings.push(...chains.flatMap(({ routing }) => routing ?? []));
    listeners.push({
      id: listenerId,
      proxy: workload.id,
      role: { kind: "gateway" },
      port: listener.port,
      bind: listener.bind,
      filterChains: chains.map(({ chain }) => chain),
    });
  }
  return { listeners, httpRoutings };
}

function idOf(workload: GatewayWorkload, { port, bind }: BoundListener): string {
  return `${workload.id}:${port}${bind === undefined ? "" : `@${bind}`}`;
}

/** The only chain of a listener has the listener's id. */
function withIds(listenerId: string, chains: readonly BuiltChain[]): readonly BuiltChain[] {
  const [only, ...others] = chains;
  if (only === undefined || others.length > 0) {
    return chains;
  }
  const { chain, routing } = only;
  const serves = chain.serves.kind === "http" ? { kind: "http" as const, routing: listenerId } : chain.serves;
  return [
    {
      chain: { ...chain, id: listenerId, serves },
      routing: routing === undefined ? undefined : { ...routing, id: listenerId },
    },
  ];
}

function buildChains(building: ChainBuilding): readonly BuiltChain[] {
  const { carries, servers, beside } = building.listener;
  if (carries !== "tls") return buildPlainChain({ carries, servers }, building);
  const chains = buildTlsChains(building);
  if (beside === undefined) return chains;
  if (chains.some(({ chain }) => chain.serverNames.length === 0)) {
    // Envoy refuses a listener with two such chains.
    const reason = "a TLS server of this port takes every connection";
    for (const bound of beside.servers) reportGatewayServer(building.findings, bound, { code: "KIR1113", reason });
    return chains;
  }
  return [...chains, ...buildPlainChain(beside, building)];
}

function buildPlainChain({ carries, servers }: PlainServers, building: ChainBuilding): readonly BuiltChain[] {
  if (carries === "http") return [buildHttpChain(building, servers, { id: building.listenerId, isTls: false })];
  const { listenerId, byGateway, destinations, findings, served } = building;
  const [bound] = servers;
  if (bound === undefined) {
    return [];
  }
  const result = buildTcpRoute({ bound, virtualServices: byGateway.get(bound.gateway) ?? [], destinations });
  switch (result.kind) {
    case "none":
      reportGatewayServer(findings, bound, { code: "KIR1115", reason: "no tcp rule of a VirtualService is for it" });
      return [];
    case "refused":
      reportRefusedTcp(findings, result);
      return [];
    case "route": {
      markServed(served, result.virtualService);
      const { route } = result;
      const servers = [describeServer(bound)];
      const chain = {
        id: listenerId,
        servers,
        serverNames: [],
        tls: undefined,
        serves: { kind: "tcp" as const, route },
      };
      return [{ chain, routing: undefined }];
    }
  }
}
