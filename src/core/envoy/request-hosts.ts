import {
  type Cluster_CustomClusterTypeSchema,
  Cluster_DnsLookupFamily as DnsLookupFamily,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterConfigSchema } from "../../gen/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.ts";
import type { DnsCacheConfigSchema } from "../../gen/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.ts";
import { FilterConfigSchema } from "../../gen/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.ts";
import type { Destination, DestinationId } from "../routes/route-table.ts";
import { emitDuration } from "./duration.ts";
import { emitExtension, packSettings } from "./extension.ts";
import type { Init } from "./init.ts";

// A destination may be whatever host a request names. A filter looks the name up before the router asks for an address,
// and hands it on through a cache, which must be the same wherever it is named.

const dnsCache: Init<typeof DnsCacheConfigSchema> = {
  name: "kirikae_request_hosts",
  dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
  dnsRefreshRate: emitDuration(60_000),
};

/** Looks up the hosts of requests that go to such a destination, and leaves all others alone. */
export const requestHostFilter = emitExtension("envoy.filters.http.dynamic_forward_proxy", FilterConfigSchema, {
  implementationSpecifier: { case: "dnsCacheConfig", value: dnsCache },
});

/** Whether any destination is the host that a request names. */
export function usesRequestHosts(destinations: ReadonlyMap<DestinationId, Destination>): boolean {
  for (const { resolution } of destinations.values()) if (resolution === "requestHost") return true;
  return false;
}

/** Emits the kind of cluster that sends each request to the host it names. */
export function emitRequestHostType(): Init<typeof Cluster_CustomClusterTypeSchema> {
  return {
    name: "envoy.clusters.dynamic_forward_proxy",
    typedConfig: packSettings(ClusterConfigSchema, {
      clusterImplementationSpecifier: { case: "dnsCacheConfig", value: dnsCache },
      // Envoy wants the request's host as SNI and in the certificate unless it is told that a manifest decides.
      allowInsecureClusterOptions: true,
    }),
  };
}
