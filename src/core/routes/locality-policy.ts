import type { LocalityLoadBalancing } from "../manifest/destination-rule.ts";
import type { MeshEndpoint, MeshService } from "../mesh/mesh.ts";
import { distribute, type LocalityGroup } from "./locality-distribution.ts";
import { prioritize } from "./locality-failover.ts";
import type { InboundPorts } from "./inbound-ports.ts";
import { placeEndpoints } from "./placed-endpoint.ts";
import { localityOf, type RouteClient } from "./route-client.ts";
import type { ResolvedBlocks } from "./destination-policy.ts";
import type { DestinationEndpoint } from "./route-table.ts";

/** Which setting for localities counts for a destination, and whether endpoints fail over. */
export interface LocalityRules {
  readonly setting: LocalityLoadBalancing;
  readonly failsOver: boolean;
}

/**
 * The DestinationRule's setting counts before the Service's trafficDistribution, and that before the mesh's. Endpoints
 * fail over only where ejections are possible, or where a Service asks for near ones. Undefined turns localities off.
 * Source: Istio `pilot/pkg/networking/core/loadbalancer/loadbalancer.go`, GetEffectiveLbSetting.
 */
export function resolveLocalityRules(sources: {
  readonly blocks: ResolvedBlocks;
  readonly service: Pick<MeshService, "trafficDistribution">;
  readonly mesh: LocalityLoadBalancing | undefined;
}): LocalityRules | undefined {
  const { blocks, service, mesh } = sources;
  const written = blocks.loadBalancer?.locality;
  const ejects = blocks.outlierDetection !== undefined;
  if (written === undefined && service.trafficDistribution !== undefined) {
    return { setting: { ...none, failoverPriority: nearness[service.trafficDistribution] }, failsOver: true };
  }
  const setting = written ?? mesh;
  return setting === undefined || setting.enabled === false ? undefined : { setting, failsOver: ejects };
}

const none: LocalityLoadBalancing = { enabled: true, distribute: [], failover: [], failoverPriority: [] };

const sameZone = ["topology.istio.io/network", "topology.kubernetes.io/region", "topology.kubernetes.io/zone"];

const nearness: Readonly<Record<NonNullable<MeshService["trafficDistribution"]>, readonly string[]>> = {
  PreferClose: sameZone,
  PreferSameZone: sameZone,
  PreferSameNode: [...sameZone, "topology.istio.io/subzone", "kubernetes.io/hostname"],
};

/** Endpoints of one destination with priorities and shares as the client's place asks. */
export function arrangeEndpoints(
  members: readonly MeshEndpoint[],
  options: {
    readonly port: number;
    readonly rules: LocalityRules | undefined;
    readonly client: RouteClient;
    readonly inbound: InboundPorts | undefined;
  },
): { readonly endpoints: readonly DestinationEndpoint[]; readonly usesLocalityWeights: boolean } {
  const { port, rules, client, inbound } = options;
  const placed = placeEndpoints(members, port, inbound);
  if (rules === undefined) {
    return { endpoints: placed.map(({ endpoint }) => endpoint), usesLocalityWeights: false };
  }
  const { setting, failsOver } = rules;
  const here = localityOf(client.labels);
  const isDistributed = setting.distribute.length > 0;
  const usesLocalityWeights =
    isDistributed || (failsOver && (setting.failover.length > 0 || setting.failoverPriority.length > 0));
  const groups = isDistributed
    ? distribute(placed, setting.distribute, here)
    : failsOver
      ? prioritize(placed, setting, { here, labels: client.labels })
      : undefined;
  if (groups === undefined) {
    return { endpoints: placed.map(({ endpoint }) => endpoint), usesLocalityWeights };
  }
  return { endpoints: groups.flatMap((group) => renderGroup(group, usesLocalityWeights)), usesLocalityWeights };
}

function renderGroup(group: LocalityGroup, usesLocalityWeights: boolean): readonly DestinationEndpoint[] {
  const { endpoints, priority, weight } = group;
  return endpoints.map(({ endpoint }) => ({
    ...endpoint,
    ...(priority === 0 ? {} : { priority }),
    ...(usesLocalityWeights ? { localityWeight: weight } : {}),
  }));
}
