import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Bootstrap, BootstrapSchema } from "../../gen/envoy/config/bootstrap/v3/bootstrap_pb.ts";
import {
  type ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ApiConfigSource_ApiType as ApiType, ApiVersion } from "../../gen/envoy/config/core/v3/config_source_pb.ts";
import type { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import type { RouteSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { InternalListenerSchema } from "../../gen/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb.ts";
import { HttpConnectionManagerSchema } from "../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { HttpProtocolOptionsSchema } from "../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { emitAdsSource, emitControlPlaneService } from "./config-sources.ts";
import { emitCopyListener } from "./copy-listener.ts";
import { emitDuration } from "./duration.ts";
import { packSettings } from "./extension.ts";
import { emitRouter } from "./http-filters.ts";
import { controlPlaneCluster, epochRuntimeKey, epochSlots, runtimeLayerName } from "./names.ts";
import { envoyTypes } from "./types.ts";
import type { Init } from "./init.ts";

export interface BootstrapOptions {
  /** Tells this proxy from the others; shown in reports. */
  readonly node: string;
  /** The paths of Unix sockets, each at most 107 bytes long (`sun_path`). */
  readonly sockets: {
    /** Where kirikae serves configuration and takes access logs. */
    readonly xds: string;
    /** Where Envoy serves its admin interface. */
    readonly admin: string;
    /** Where Envoy's workers show which push they use. */
    readonly proof: string;
    /** Where Envoy takes copied requests that kirikae sends on; without it there is no such listener. */
    readonly copies?: string;
  };
}

/** Emits what Envoy is started with: everything else it gets from kirikae. */
function emitBootstrap(options: BootstrapOptions): Bootstrap {
  const { sockets } = options;
  return create(BootstrapSchema, {
    node: { id: options.node, cluster: "kirikae" },
    admin: { address: emitPipe(sockets.admin) },
    // Without it Envoy refuses the listeners that stand before workloads with a sidecar.
    bootstrapExtensions: [
      { name: "envoy.bootstrap.internal_listener", typedConfig: packSettings(InternalListenerSchema, {}) },
    ],
    staticResources: {
      clusters: [emitControlPlane(sockets.xds)],
      listeners: [
        emitProofListener(sockets.proof),
        ...(sockets.copies === undefined ? [] : [emitCopyListener(sockets.copies)]),
      ],
    },
    dynamicResources: {
      adsConfig: {
        apiType: ApiType.DELTA_GRPC,
        transportApiVersion: ApiVersion.V3,
        grpcServices: [emitControlPlaneService()],
        setNodeOnFirstMessageOnly: true,
      },
      cdsConfig: emitAdsSource(),
      ldsConfig: emitAdsSource(),
    },
    layeredRuntime: {
      layers: [
        // Envoy would refuse patterns of more than 100 states, such as [^/]{100}; whether one is too large is checked
        // before it is sent. Istio's bootstrap lifts the bound too.
        { name: "static", layerSpecifier: { case: "staticLayer", value: { "re2.max_program_size.error_level": 1e6 } } },
        { name: runtimeLayerName, layerSpecifier: { case: "rtdsLayer", value: emitRuntimeSource() } },
        // The last word is the admin interface's, for an emergency without kirikae.
        { name: "admin", layerSpecifier: { case: "adminLayer", value: {} } },
      ],
    },
    // Histograms move only when statistics are flushed; Envoy's 5 s leave gaps in short windows.
    statsFlushInterval: emitDuration(1000),
  });
}

/** The same as JSON, which Envoy reads from a file. */
export function emitBootstrapJson(options: BootstrapOptions): JsonValue {
  return toJson(BootstrapSchema, emitBootstrap(options), { registry: envoyTypes });
}

function emitRuntimeSource() {
  return { name: runtimeLayerName, rtdsConfig: emitAdsSource() };
}

function emitPipe(path: string) {
  return { address: { case: "pipe" as const, value: { path, mode: 0o600 } } };
}

function emitControlPlane(path: string): Init<typeof ClusterSchema> {
  return {
    name: controlPlaneCluster,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    connectTimeout: emitDuration(1000),
    loadAssignment: {
      clusterName: controlPlaneCluster,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: {
                case: "endpoint",
                value: { address: { address: { case: "pipe", value: { path } } } },
              },
            },
          ],
        },
      ],
    },
    typedExtensionProtocolOptions: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(
        HttpProtocolOptionsSchema,
        create(HttpProtocolOptionsSchema, {
          upstreamProtocolOptions: {
            case: "explicitHttpConfig",
            value: { protocolConfig: { case: "http2ProtocolOptions", value: controlPlaneHttp2 } },
          },
        }),
      ),
    },
  };
}

/** Wide windows let a table of many megabytes arrive without a round trip for each 64 kB. */
const controlPlaneHttp2 = {
  initialStreamWindowSize: 16 * 1024 * 1024,
  initialConnectionWindowSize: 64 * 1024 * 1024,
  connectionKeepalive: { interval: emitDuration(30_000), timeout: emitDuration(10_000) },
};

/**
 * A private listener that tells which push the answering worker uses: `GET /<slot>` is 200 when that slot's runtime key
 * is set in this worker, else 404. New connections are spread evenly, so as many connections as workers meet each one.
 */
function emitProofListener(path: string): Init<typeof ListenerSchema> {
  return {
    name: "kirikae_proof",
    statPrefix: "kirikae_proof",
    address: emitPipe(path),
    connectionBalanceConfig: { balanceType: { case: "exactBalance", value: {} } },
    ignoreGlobalConnLimit: true,
    filterChains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, emitProofRoutes()) },
          },
        ],
      },
    ],
  };
}

function emitProofRoutes() {
  const slots = Array.from({ length: epochSlots }, (_, slot) => slot);
  return create(HttpConnectionManagerSchema, {
    statPrefix: "kirikae_proof",
    commonHttpProtocolOptions: { idleTimeout: emitDuration(0) },
    generateRequestId: false,
    routeSpecifier: {
      case: "routeConfig",
      value: {
        name: "kirikae_proof",
        virtualHosts: [{ name: "kirikae_proof", domains: ["*"], routes: slots.map(emitProofRoute) }],
      },
    },
    httpFilters: [emitRouter()],
  });
}

function emitProofRoute(slot: number): Init<typeof RouteSchema> {
  return {
    match: {
      pathSpecifier: { case: "path", value: `/${slot}` },
      runtimeFraction: { runtimeKey: epochRuntimeKey(slot), defaultValue: { numerator: 0 } },
    },
    action: { case: "directResponse", value: { status: 200 } },
  };
}
