import type { TcpProxySchema } from "../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import type { Destination, DestinationId, Split, TcpRoute } from "../routes/route-table.ts";
import { emitOptionalDuration } from "./duration.ts";
import type { Init } from "./init.ts";

type TcpProxyInit = Init<typeof TcpProxySchema>;

/**
 * Emits where the connections of a chain go. A share is drawn for each connection; Envoy reads no runtime values here,
 * so that new shares are a new listener.
 */
export function emitTcpProxy(
  { split }: TcpRoute,
  statPrefix: string,
  destinations: ReadonlyMap<DestinationId, Destination>,
): TcpProxyInit {
  const first = split.arms.find(({ weight }) => weight > 0) ?? split.arms[0];
  const policy = first && destinations.get(first.destination)?.policy;
  const isByCaller =
    policy !== undefined && "key" in policy.loadBalancer && policy.loadBalancer.key.kind === "sourceIp";
  return {
    statPrefix,
    clusterSpecifier: emitShares(split),
    idleTimeout: emitOptionalDuration(policy?.idleTimeoutMs),
    ...(isByCaller ? { hashPolicy: [{ policySpecifier: { case: "sourceIp", value: {} } }] } : {}),
  };
}

/** Envoy refuses a share of 0. */
function emitShares({ arms }: Split): NonNullable<TcpProxyInit["clusterSpecifier"]> {
  const weighted = arms.filter(({ weight }) => weight > 0);
  const [only, ...others] = weighted.length === 0 ? arms.slice(0, 1) : weighted;
  if (only === undefined || others.length === 0) return { case: "cluster", value: only?.destination ?? "" };
  const clusters = weighted.map(({ destination, weight }) => ({ name: destination, weight }));
  return { case: "weightedClusters", value: { clusters } };
}
