import { diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import type { MergedDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { MeshPort, MeshService } from "../mesh/mesh.ts";
import {
  buildDestinationPolicy,
  resolvePolicyBlocks,
  type ResolvedBlocks,
  upgradesToHttp2,
} from "./destination-policy.ts";
import type { DestinationRef, DestinationSink } from "./destinations.ts";
import { isSubset } from "./gateway-workloads.ts";
import { arrangeEndpoints, resolveLocalityRules } from "./locality-policy.ts";
import type { InboundPorts } from "./inbound-ports.ts";
import type { RouteClient } from "./route-client.ts";
import type { Destination, DestinationId, DestinationResolution } from "./route-table.ts";
import type { UpstreamTls } from "./route-table-tls.ts";
import { buildUpstreamTls } from "./upstream-tls.ts";

export interface DestinationSources {
  readonly service: MeshService;
  readonly rule: MergedDestinationRule | undefined;
  readonly client: RouteClient;
  readonly config: MeshConfig;
}

type NamedRef = DestinationRef & { readonly id: DestinationId };

/**
 * Undefined for a port or a subset that does not exist, for a subset without endpoints of a service found by DNS, and
 * where TLS cannot be begun for want of a credential: proxies answer 503 NC. Source: Istio `cluster_builder.go`,
 * buildCluster.
 */
export function buildDestination(
  ref: NamedRef,
  sources: DestinationSources,
  sink: DestinationSink,
): Destination | undefined {
  const { service, rule } = sources;
  const port = service.ports.find((candidate) => candidate.number === ref.port);
  const subset = rule?.subsets.find((candidate) => candidate.name === ref.subset);
  if (port === undefined || (ref.subset !== undefined && subset === undefined)) {
    return undefined;
  }
  // The host that the request names has no versions. Source: Istio `cluster.go`, buildOutboundClusters.
  if (service.resolution === "requestHost" && ref.subset !== undefined) {
    return undefined;
  }
  const members = service.endpoints.filter(
    (endpoint) => endpoint.ports.has(ref.port) && isSubset(subset?.labels ?? {}, endpoint.labels),
  );
  if (isLookedUp(service) && ref.subset !== undefined && members.length === 0) {
    return undefined;
  }
  const blocks = resolvePolicyBlocks({ rule: rule?.trafficPolicy, subset: subset?.trafficPolicy, port: ref.port });
  const tls = beginTls(blocks, sources, sink);
  if (tls === "impossible") {
    return undefined;
  }
  return describe(ref, { ...sources, port, members, blocks, tls, inboundPorts: sink.inboundPorts });
}

function isLookedUp({ resolution }: MeshService): boolean {
  return resolution === "dns" || resolution === "logicalDns";
}

/** Plain text where the mesh's own certificates are asked for: there are none on this machine. */
function beginTls(
  blocks: ResolvedBlocks,
  { service, rule, client }: DestinationSources,
  { secrets, findings }: DestinationSink,
): UpstreamTls | "impossible" | undefined {
  const { tls } = blocks;
  if (tls === undefined || tls.mode === "DISABLE") return undefined;
  const owner = rule?.rules[0];
  const resource = owner === undefined ? undefined : resourceName(owner);
  const where = `${resource} ${tls.at.line}:${tls.at.column}`;
  if (tls.mode === "ISTIO_MUTUAL") {
    const message = `Requests to ${service.host} are sent in plain text, because there are no certificates of the mesh here.`;
    const hint =
      "Nothing is to be done for a trial on this machine; in a cluster the mesh's own certificates are used.";
    findings.set(`KIR1116 ${where}`, diagnostic("KIR1116", { message, hint, resource, at: tls.at }));
    return undefined;
  }
  const built = buildUpstreamTls(tls, {
    secrets,
    service,
    client,
    isForSomeWorkloads: rule?.isForSomeWorkloads ?? false,
  });
  if (built.kind !== "missing") return built.tls;
  const message = `No TLS can be begun with ${service.host}, because ${built.reason}, so requests to it get 503.`;
  const hint = "Add the Secret to the namespace of the calling pods, or correct its name.";
  findings.set(`KIR1117 ${where}`, diagnostic("KIR1117", { message, hint, resource, at: tls.at }));
  return "impossible";
}

interface DestinationParts extends DestinationSources {
  readonly port: MeshPort;
  readonly members: MeshService["endpoints"];
  readonly blocks: ResolvedBlocks;
  readonly tls: UpstreamTls | undefined;
  readonly inboundPorts: InboundPorts;
}

function describe(ref: NamedRef, parts: DestinationParts): Destination {
  const { service, port, members, blocks, client, config, tls } = parts;
  const locality = resolveLocalityRules({ blocks, service, mesh: config.localityLbSetting });
  const resolution = resolutionOf(service, client);
  // Only addresses that are told to the proxy can be listeners of its own.
  const inbound = resolution === "static" ? parts.inboundPorts : undefined;
  const arranged = arrangeEndpoints(members, { port: ref.port, rules: locality, client, inbound });
  return {
    id: ref.id,
    host: ref.host,
    subset: ref.subset,
    port: ref.port,
    protocol: protocolOf(port, blocks),
    resolution,
    endpoints: service.resolution === "none" ? [] : arranged.endpoints,
    policy: {
      ...buildDestinationPolicy(blocks, config),
      ...(tls === undefined ? {} : { tls }),
      ...(arranged.usesLocalityWeights ? { usesLocalityWeights: true } : {}),
    },
  };
}

function protocolOf({ protocol }: MeshPort, { connectionPool }: ResolvedBlocks): Destination["protocol"] {
  if (protocol === "http2" || upgradesToHttp2(connectionPool)) return "http2";
  return protocol === "http" ? "http" : "tcp";
}

/** What a sidecar would dial is the address that its workload meant; here that is the host that the request names. */
function resolutionOf({ resolution }: MeshService, { kind }: RouteClient): DestinationResolution {
  if (resolution !== "none") return resolution;
  return kind === "sidecar" ? "requestHost" : "static";
}
