import {
  Cluster_LbPolicy as LbPolicy,
  type Cluster_SlowStartConfigSchema,
  type ClusterSchema,
} from "../../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { Destination } from "../routes/route-table.ts";
import type { Warmup } from "../routes/route-table-policy.ts";
import { emitDuration } from "./duration.ts";
import type { Init } from "./init.ts";

/** Emits how an endpoint is chosen. Requests that name their own host choose by themselves. */
export function emitLoadBalancer({ policy, resolution }: Destination): Init<typeof ClusterSchema> {
  if (resolution === "requestHost") return { lbPolicy: LbPolicy.CLUSTER_PROVIDED };
  const { loadBalancer } = policy;
  switch (loadBalancer.kind) {
    case "roundRobin":
      return {
        lbPolicy: LbPolicy.ROUND_ROBIN,
        ...emitWarmup(loadBalancer.warmup, (value) => ({ case: "roundRobinLbConfig", value })),
      };
    case "leastRequest":
      return {
        lbPolicy: LbPolicy.LEAST_REQUEST,
        ...emitWarmup(loadBalancer.warmup, (value) => ({ case: "leastRequestLbConfig", value })),
      };
    case "random":
      return { lbPolicy: LbPolicy.RANDOM };
    case "ringHash":
      return {
        lbPolicy: LbPolicy.RING_HASH,
        lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: BigInt(loadBalancer.minimumRingSize) } },
      };
    case "maglev":
      return {
        lbPolicy: LbPolicy.MAGLEV,
        ...(loadBalancer.tableSize === undefined
          ? {}
          : { lbConfig: { case: "maglevLbConfig", value: { tableSize: BigInt(loadBalancer.tableSize) } } }),
      };
  }
}

type LbConfig = NonNullable<Init<typeof ClusterSchema>["lbConfig"]>;

function emitWarmup(
  warmup: Warmup | undefined,
  place: (value: { slowStartConfig: Init<typeof Cluster_SlowStartConfigSchema> }) => LbConfig,
): { lbConfig?: LbConfig } {
  if (warmup === undefined) return {};
  const slowStartConfig = {
    slowStartWindow: emitDuration(warmup.durationMs),
    aggression: { defaultValue: warmup.aggression, runtimeKey: "kirikae.warmup.aggression" },
    minWeightPercent: { value: warmup.minimumPercent },
  };
  return { lbConfig: place({ slowStartConfig }) };
}
