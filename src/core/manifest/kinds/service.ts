import { list, stringMap, strings, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, reportValue, describeAs } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, oneOf, portNumber, string } from "../decode/scalars.ts";
import type { ServicePort, ServiceSpec } from "../service.ts";

/** A port's number, or the name of a container port. */
export const portReference: Decoder<number | string> = describeAs(
  (place, context) => (place.value.kind === "string" ? string(place, context) : portNumber(place, context)),
  { kind: "either", shapes: [{ kind: "scalar", type: "integer" }, string.shape] },
);

const protocols = ["TCP", "UDP", "SCTP"] as const;

interface WrittenProtocol {
  readonly protocol: ServicePort["protocol"];
  readonly written: string;
}

const tcp: WrittenProtocol = { protocol: "TCP", written: "TCP" };

/** A protocol that Kubernetes refuses, such as HTTP, is told and read as TCP, so that the Service is still there. */
const serviceProtocol: Decoder<WrittenProtocol> = transform(string, (written, place, context) => {
  const known = protocols.find((protocol) => protocol === written);
  if (known === undefined) {
    const hint = "Kubernetes knows TCP, UDP and SCTP here; say HTTP by the port's name or by appProtocol.";
    reportValue(place, context, {
      complaint: `must be one of TCP, UDP, SCTP, but is ${JSON.stringify(written)}`,
      hint,
    });
  }
  return { protocol: known ?? "TCP", written };
});

const decodePort: Decoder<ServicePort> = transform(
  object({
    fields: {
      name: optional(string),
      port: required(portNumber),
      targetPort: optional(portReference),
      protocol: withDefault(serviceProtocol, tcp),
      appProtocol: optional(string),
    },
    foreign: ["nodePort"],
  }),
  ({ port, protocol: { protocol, written }, ...others }, place, context) => ({
    ...others,
    number: port,
    protocol,
    ...(written === protocol ? {} : { writtenProtocol: written }),
    at: positionOf(place, context),
  }),
);

/** Fields without an effect on routes here. Source: Kubernetes `api/core/v1/types.go`, ServiceSpec. */
const foreign = [
  "sessionAffinity",
  "sessionAffinityConfig",
  "loadBalancerIP",
  "loadBalancerSourceRanges",
  "loadBalancerClass",
  "externalIPs",
  "externalTrafficPolicy",
  "internalTrafficPolicy",
  "healthCheckNodePort",
  "allocateLoadBalancerNodePorts",
  "ipFamilies",
  "ipFamilyPolicy",
  // Up to Kubernetes 1.20.
  "ipFamily",
  "topologyKeys",
];

/** The spec of a Kubernetes Service. */
export const decodeService: Decoder<ServiceSpec> = transform(
  object({
    fields: {
      ports: withDefault(list(decodePort), []),
      selector: withDefault(stringMap, {}),
      type: withDefault(oneOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]), "ClusterIP"),
      externalName: optional(string),
      clusterIP: optional(string),
      clusterIPs: withDefault(strings, []),
      publishNotReadyAddresses: withDefault(boolean, false),
      trafficDistribution: optional(oneOf(["PreferClose", "PreferSameZone", "PreferSameNode"])),
    },
    foreign,
  }),
  ({ clusterIP, clusterIPs, ...spec }, place, context) => {
    if (spec.type === "ExternalName" && spec.externalName === undefined) {
      return reportValue(place, context, "needs externalName, because its type is ExternalName");
    }
    const isHeadless = clusterIP === "None" || clusterIPs[0] === "None";
    if (spec.type !== "ExternalName" && spec.ports.length === 0 && !isHeadless) {
      reportValue(place, context, "needs ports");
    }
    const addresses = new Set(
      [clusterIP, ...clusterIPs].filter((ip) => ip !== undefined && ip !== "" && ip !== "None"),
    );
    return { ...spec, isHeadless, clusterIps: [...addresses].filter((ip) => ip !== undefined) };
  },
);
