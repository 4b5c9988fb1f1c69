import { list, refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, number, oneOf, portNumber, string } from "../decode/scalars.ts";
import type { PortTrafficPolicy, RetryBudget, TrafficPolicy, TunnelSettings } from "../destination-rule.ts";
import { complainHost } from "../names.ts";
import { decodeClientTls } from "./client-tls.ts";
import { decodeConnectionPool } from "./connection-pool.ts";
import { decodeLoadBalancer } from "./load-balancer.ts";
import { decodeOutlierDetection } from "./outlier-detection.ts";

const budgetPercent = refine(number, (value) =>
  value < 0 || value > 100 ? `must be a percentage from 0 to 100, but is ${value}` : undefined,
);

const budgetConcurrency = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be 0 or more, but is ${value}` : undefined,
);

const tunnelHost = refine(string, complainHost);

/** HTTP verbs by which a proxy is asked to pass bytes on. */
const decodeTunnel: Decoder<TunnelSettings> = object({
  fields: {
    protocol: withDefault(oneOf(["CONNECT", "POST"]), "CONNECT"),
    targetHost: required(tunnelHost),
    targetPort: required(portNumber),
  },
});

const decodeProxyProtocol: Decoder<"V1" | "V2"> = transform(
  object({ fields: { version: withDefault(oneOf(["V1", "V2"]), "V1") } }),
  ({ version }) => version,
);

const decodeRetryBudget: Decoder<RetryBudget> = transform(
  object({
    fields: {
      percent: withDefault(budgetPercent, 20),
      minRetryConcurrency: withDefault(budgetConcurrency, 3),
    },
    unserved: { budgetInterval: "Istio does not read it either" },
  }),
  (budget) => budget,
);

const blocks = {
  loadBalancer: optional(decodeLoadBalancer),
  connectionPool: optional(decodeConnectionPool),
  outlierDetection: optional(decodeOutlierDetection),
  tls: optional(decodeClientTls),
};

const decodePortPolicy: Decoder<PortTrafficPolicy> = transform(
  object({ fields: { ...blocks, port: required(object({ fields: { number: required(portNumber) } })) } }),
  ({ port, loadBalancer, connectionPool, outlierDetection, tls }, place, context) => {
    if (place.value.kind === "map" && place.value.entries.size < 2) {
      return reportValue(place, context, "needs a policy beside the port");
    }
    return { loadBalancer, connectionPool, outlierDetection, tls, port: port.number };
  },
);

const portPolicies = refine(list(decodePortPolicy), (policies) =>
  new Set(policies.map((policy) => policy.port)).size === policies.length ? undefined : "must not name a port twice",
);

/** `trafficPolicy` of a DestinationRule or of one of its subsets. */
export const decodeTrafficPolicy: Decoder<TrafficPolicy> = transform(
  object({
    fields: {
      ...blocks,
      portLevelSettings: withDefault(portPolicies, []),
      tunnel: optional(decodeTunnel),
      proxyProtocol: optional(decodeProxyProtocol),
      retryBudget: optional(decodeRetryBudget),
    },
  }),
  (policy, place, context) => {
    if (place.value.kind === "map" && place.value.entries.size === 0) {
      reportValue(place, context, "must not be empty");
      return invalid;
    }
    return policy;
  },
);
