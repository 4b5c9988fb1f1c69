import { list, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, renderPath, report } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber, string } from "../decode/scalars.ts";
import { isIpAddress } from "../names.ts";
import type { SidecarEgress, SidecarIngress, SidecarOutboundPolicy, SidecarSpec } from "../sidecar.ts";
import { decodeConnectionPool } from "./connection-pool.ts";
import { decodeDestination } from "./destination.ts";
import { decodeServerTls } from "./gateway-tls.ts";
import { checkedStrings } from "./hosts.ts";
import { portProtocol } from "./port-protocol.ts";
import { labelSelector } from "./label-selector.ts";

const sidecarPort = object({
  fields: { number: required(portNumber), name: required(string), protocol: required(portProtocol) },
});

const captureMode = withDefault(oneOf(["DEFAULT", "IPTABLES", "NONE"]), "DEFAULT");

const decodeEgress: Decoder<SidecarEgress> = transform(
  object({
    fields: {
      port: optional(sidecarPort),
      bind: optional(string),
      captureMode,
      hosts: required(nonEmpty(checkedStrings(complainEgressHost))),
    },
  }),
  (egress, place, context) => ({ ...egress, at: positionOf(place, context) }),
);

function complainEgressHost(text: string): string | undefined {
  return text.split("/").length === 2 ? undefined : `must be namespace/host, but is ${JSON.stringify(text)}`;
}

const endpoint = refine(string, (text) => {
  if (text.startsWith("unix://")) {
    return undefined;
  }
  const [, host = "", port] = /^\[?([^\]]*)\]?:([0-9]{1,5})$/.exec(text) ?? [];
  return port !== undefined && isIpAddress(host) && ["127.0.0.1", "0.0.0.0", "::1", "::"].includes(host)
    ? undefined
    : `must be a port of 127.0.0.1, [::1], 0.0.0.0 or [::], or unix:///path, but is ${JSON.stringify(text)}`;
});

const decodeIngress: Decoder<SidecarIngress> = transform(
  object({
    fields: {
      port: required(sidecarPort),
      bind: optional(string),
      captureMode,
      defaultEndpoint: optional(endpoint),
      tls: optional(decodeServerTls),
      connectionPool: optional(decodeConnectionPool),
    },
  }),
  (ingress, place, context) => ({ ...ingress, at: positionOf(place, context) }),
);

const egressProxy = transform(decodeDestination, (proxy, place, context) => {
  const message = `"${renderPath(place)}" is deprecated, and newer versions of Istio ignore it.`;
  report(place, context, { code: "KIR1220", message });
  return proxy;
});

const outboundPolicy: Decoder<SidecarOutboundPolicy> = object({
  fields: {
    mode: withDefault(oneOf(["REGISTRY_ONLY", "ALLOW_ANY"]), "REGISTRY_ONLY"),
    egressProxy: optional(egressProxy),
  },
});

/** `networking.istio.io` Sidecar. Source of the rules: Istio `pkg/config/validation/validation.go`, ValidateSidecar. */
export const decodeSidecar: Decoder<SidecarSpec> = object({
  fields: {
    workloadSelector: optional(labelSelector),
    egress: withDefault(list(decodeEgress), []),
    ingress: withDefault(list(decodeIngress), []),
    outboundTrafficPolicy: optional(outboundPolicy),
    inboundConnectionPool: optional(decodeConnectionPool),
  },
});
