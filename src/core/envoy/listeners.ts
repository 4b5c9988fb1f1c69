import { create } from "@bufbuild/protobuf";
import { TrafficDirection } from "../../gen/envoy/config/core/v3/base_pb.ts";
import { type Listener as EnvoyListener, ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import type { FilterChainSchema } from "../../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { TlsInspectorSchema } from "../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { TcpProxySchema } from "../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import type { FilterChain, Listener, RouteTable } from "../routes/route-table.ts";
import { emitDownstreamTls } from "./downstream-tls.ts";
import { emitSocketAddress, type HostPort } from "./endpoints.ts";
import { emitExtension, type Extension } from "./extension.ts";
import { emitConnectionManager } from "./http-connections.ts";
import { emitInboundManager } from "./inbound-connections.ts";
import type { Init } from "./init.ts";
import { emitTcpProxy } from "./tcp-proxy.ts";

/** What a listener's form depends on beside itself. */
export interface ListenerSurroundings {
  /** Undefined for an inbound listener, which is reached from within this Envoy alone. */
  readonly address: HostPort | undefined;
  readonly destinations: RouteTable["destinations"];
  readonly secrets: RouteTable["secrets"];
  /** Whether some destination is the host that a request names; see request-hosts.ts. */
  readonly usesRequestHosts: boolean;
  /** Routings whose routes are found by scope; see route-forms.ts. */
  readonly scoped: ReadonlySet<string>;
}

/** Emits a listener; its HTTP chains take their routes by RDS, and all chains their certificates by SDS. */
export function emitListener(listener: Listener, surroundings: ListenerSurroundings): EnvoyListener {
  const chains = listener.filterChains.filter((chain) => hasCertificates(chain, surroundings));
  return create(ListenerSchema, {
    name: listener.id,
    ...emitPlace(surroundings.address),
    // It reads the first bytes of every connection, so that only a listener that chooses by name has it.
    listenerFilters: chains.some(({ serverNames }) => serverNames.length > 0) ? [tlsInspector] : [],
    filterChains: chains.map((chain) => emitFilterChain(chain, listener, surroundings)),
  });
}

/** What is meant for a workload comes from within this Envoy, so that it needs no port of the machine. */
function emitPlace(address: HostPort | undefined): Init<typeof ListenerSchema> {
  if (address !== undefined) return { address: emitSocketAddress(address) };
  return {
    listenerSpecifier: { case: "internalListener", value: {} },
    trafficDirection: TrafficDirection.INBOUND,
  };
}

const tlsInspector = emitExtension("envoy.filters.listener.tls_inspector", TlsInspectorSchema, {});

/** A chain that waits for a certificate that never comes would keep its whole listener from opening. */
function hasCertificates({ tls }: FilterChain, { secrets }: ListenerSurroundings): boolean {
  return tls === undefined || tls.certificates.every((id) => secrets.get(id)?.kind === "certificate");
}

function emitFilterChain(
  chain: FilterChain,
  listener: Listener,
  surroundings: ListenerSurroundings,
): Init<typeof FilterChainSchema> {
  return {
    // Envoy changes a listener in place, and drains only the chains that are not what they were.
    name: chain.id,
    ...(chain.serverNames.length === 0 ? {} : { filterChainMatch: { serverNames: [...chain.serverNames] } }),
    ...(chain.tls === undefined ? {} : { transportSocket: emitDownstreamTls(chain.tls) }),
    filters: [emitNetworkFilter(chain, listener, surroundings)],
  };
}

function emitNetworkFilter(chain: FilterChain, listener: Listener, surroundings: ListenerSurroundings): Extension {
  const { serves } = chain;
  switch (serves.kind) {
    case "http":
      return emitExtension(
        "envoy.filters.network.http_connection_manager",
        HttpConnectionManagerSchema,
        emitConnectionManager(listener, serves.routing, surroundings),
      );
    case "tcp":
      return emitExtension(
        "envoy.filters.network.tcp_proxy",
        TcpProxySchema,
        emitTcpProxy(serves.route, chain.id, surroundings.destinations),
      );
    case "inboundHttp":
      return emitExtension(
        "envoy.filters.network.http_connection_manager",
        HttpConnectionManagerSchema,
        emitInboundManager(listener, serves.route),
      );
  }
}
