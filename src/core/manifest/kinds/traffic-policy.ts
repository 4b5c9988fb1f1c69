import { list, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  reportConflict,
  reportDiscouraged,
  reportValue,
  reportLack,
} from "../decode/decoder.ts";
import { fieldPlace, ignored, object, optional, rejected, required, withDefault } from "../decode/object.ts";
import { durationOrZeroMs, integer, number, oneOf, portNumber, string } from "../decode/scalars.ts";
import type {
  PortTrafficPolicy,
  RetryBudget,
  TrafficPolicy,
  TrafficPolicyBlocks,
  TunnelSettings,
} from "../destination-rule.ts";
import { complainFqdn, isIpAddress } from "../names.ts";
import { decodeClientTls } from "./client-tls.ts";
import { decodeConnectionPool } from "./connection-pool.ts";
import { itemPlace } from "./hosts.ts";
import { decodeLoadBalancer } from "./load-balancer.ts";
import { decodeOutlierDetection } from "./outlier-detection.ts";

const budgetPercent = refine(number, (value) =>
  value < 0 || value > 100 ? `must be a percentage from 0 to 100, but is ${value}` : undefined,
);

const budgetConcurrency = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be 0 or more, but is ${value}` : undefined,
);

const tunnelHost = refine(string, (text) => (isIpAddress(text) ? undefined : complainFqdn(text)));

/** An empty one is none. */
const tunnelProtocol: Decoder<"CONNECT" | "POST"> = transform(oneOf(["", "CONNECT", "POST"]), (name) =>
  name === "" ? "CONNECT" : name,
);

/** HTTP verbs by which a proxy is asked to pass bytes on. */
const decodeTunnel: Decoder<TunnelSettings> = object({
  fields: {
    protocol: withDefault(tunnelProtocol, "CONNECT"),
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
      budgetInterval: ignored(optional(durationOrZeroMs), "requests count while they are under way"),
    },
  }),
  ({ budgetInterval, ...budget }) => ({ ...budget, budgetIntervalMs: budgetInterval }),
);

const blocks = {
  loadBalancer: optional(decodeLoadBalancer),
  connectionPool: optional(decodeConnectionPool),
  outlierDetection: optional(decodeOutlierDetection),
  tls: optional(decodeClientTls),
};

const portFields = object({
  fields: { ...blocks, port: required(object({ fields: { number: required(portNumber) } })) },
});

const decodePortPolicy: Decoder<PortTrafficPolicy> = transform(portFields, (policy, place, context) => {
  const { port, ...others } = policy;
  if (Object.keys(blocks).every((name) => fieldPlace(place, name) === undefined)) {
    return reportValue(place, context, "needs a policy beside the port");
  }
  warnAboutFailover(others, place, context);
  return { ...others, port: port.number };
});

const portPolicies = transform(list(decodePortPolicy), (policies, place, context) => {
  const seen = new Set<number>();
  for (const [index, { port }] of policies.entries()) {
    if (seen.has(port)) {
      reportDiscouraged(itemPlace(place, index), context, `is for port ${port}, for which the first counts`);
    }
    seen.add(port);
  }
  return policies.length > 4096 ? reportValue(place, context, "must have at most 4096 items") : policies;
});

const policyFields = object({
  fields: {
    ...blocks,
    portLevelSettings: withDefault(portPolicies, []),
    tunnel: rejected(optional(decodeTunnel), "connections are sent to destinations themselves, through no other proxy"),
    proxyProtocol: optional(decodeProxyProtocol),
    retryBudget: optional(decodeRetryBudget),
  },
});

const fieldNames = [...Object.keys(blocks), "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget"];

/** `trafficPolicy` of a DestinationRule or of one of its subsets. */
export const decodeTrafficPolicy: Decoder<TrafficPolicy> = transform(policyFields, (policy, place, context) => {
  if (fieldNames.every((name) => isEmpty(fieldPlace(place, name)))) {
    return reportLack(place, context, `needs one of ${fieldNames.join(", ")}`);
  }
  if (policy.tunnel !== undefined && policy.proxyProtocol !== undefined) {
    return reportConflict(place, context, "must not have both tunnel and proxyProtocol");
  }
  warnAboutFailover(policy, place, context);
  return policy;
});

/** An empty list is the same as none. */
function isEmpty(place: Place | undefined): boolean {
  return place === undefined || (place.value.kind === "list" && place.value.items.length === 0);
}

/** Other localities take over only from endpoints that are found to fail. */
function warnAboutFailover(policy: TrafficPolicyBlocks, place: Place, context: DecodeContext): void {
  const locality = policy.loadBalancer?.locality;
  const failsOver = locality !== undefined && locality.failover.length + locality.failoverPriority.length > 0;
  if (failsOver && policy.outlierDetection === undefined) {
    reportDiscouraged(
      fieldPlace(place, "loadBalancer") ?? place,
      context,
      "has failover, which has no effect without outlierDetection",
    );
  }
}
