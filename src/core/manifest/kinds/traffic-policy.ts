import { list, refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, renderPath, report, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber } from "../decode/scalars.ts";
import type { PortTrafficPolicy, TrafficPolicy } from "../destination-rule.ts";
import { decodeConnectionPool } from "./connection-pool.ts";
import { decodeLoadBalancer } from "./load-balancer.ts";
import { decodeOutlierDetection } from "./outlier-detection.ts";

/** Modes that make no difference to local workloads, which speak plain text. */
const decodeTls: Decoder<undefined> = transform(
  object({
    fields: { mode: withDefault(oneOf(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]), "DISABLE") },
    others: "ignore",
  }),
  ({ mode }, place, context) => {
    if (mode === "SIMPLE" || mode === "MUTUAL") {
      report(place, context, {
        code: "KIR1006",
        message: `"${renderPath(place)}.mode" is ${mode}, and TLS to destinations is not supported yet.`,
      });
      return undefined;
    }
    report(place, context, {
      code: "KIR1007",
      message: `"${renderPath(place)}" is not served locally: local workloads speak plain text.`,
    });
    return undefined;
  },
);

const blocks = {
  loadBalancer: optional(decodeLoadBalancer),
  connectionPool: optional(decodeConnectionPool),
  outlierDetection: optional(decodeOutlierDetection),
  tls: optional(decodeTls),
};

const decodePortPolicy: Decoder<PortTrafficPolicy> = transform(
  object({ fields: { ...blocks, port: required(object({ fields: { number: required(portNumber) } })) } }),
  ({ port, loadBalancer, connectionPool, outlierDetection }, place, context) => {
    if (place.value.kind === "map" && place.value.entries.size < 2) {
      return reportValue(place, context, "needs a policy beside the port");
    }
    return { loadBalancer, connectionPool, outlierDetection, port: port.number };
  },
);

const portPolicies = refine(list(decodePortPolicy), (policies) =>
  new Set(policies.map((policy) => policy.port)).size === policies.length ? undefined : "must not name a port twice",
);

/** `trafficPolicy` of a DestinationRule or of one of its subsets. */
export const decodeTrafficPolicy: Decoder<TrafficPolicy> = transform(
  object({
    fields: { ...blocks, portLevelSettings: withDefault(portPolicies, []) },
    unsupported: ["tunnel", "proxyProtocol", "retryBudget"],
  }),
  ({ loadBalancer, connectionPool, outlierDetection, portLevelSettings }, place, context) => {
    if (place.value.kind === "map" && place.value.entries.size === 0) {
      reportValue(place, context, "must not be empty");
      return invalid;
    }
    return { loadBalancer, connectionPool, outlierDetection, portLevelSettings };
  },
);
