import { list, stringMap, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, oneOf, portNumber, string } from "../decode/scalars.ts";
import type { ServicePort, ServiceSpec, WorkloadSpec } from "../service.ts";

/** A port's number, or the name of a container port. */
export const portReference: Decoder<number | string> = (place, context) =>
  place.value.kind === "string" ? string(place, context) : portNumber(place, context);

const decodePort: Decoder<ServicePort> = transform(
  object({
    fields: {
      name: optional(string),
      port: required(portNumber),
      targetPort: optional(portReference),
      protocol: withDefault(oneOf(["TCP", "UDP", "SCTP"]), "TCP"),
      appProtocol: optional(string),
    },
    others: "ignore",
  }),
  ({ port, ...others }, place, context) => ({ ...others, number: port, at: positionOf(place, context) }),
);

/** The spec of a Kubernetes Service. */
export const decodeService: Decoder<ServiceSpec> = transform(
  object({
    fields: {
      ports: withDefault(list(decodePort), []),
      selector: withDefault(stringMap, {}),
      type: withDefault(oneOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]), "ClusterIP"),
      externalName: optional(string),
    },
    others: "ignore",
  }),
  (spec, place, context) => {
    if (spec.type === "ExternalName" && spec.externalName === undefined) {
      return reportValue(place, context, "needs externalName, because its type is ExternalName");
    }
    return spec.type !== "ExternalName" && spec.ports.length === 0 ? reportValue(place, context, "needs ports") : spec;
  },
);

const podTemplate = object({
  fields: {
    metadata: withDefault(object({ fields: { labels: withDefault(stringMap, {}) }, others: "ignore" }), { labels: {} }),
  },
  others: "ignore",
});

/** The spec of a Deployment and of whatever else makes pods from a template. */
export const decodeWorkload: Decoder<WorkloadSpec> = transform(
  object({
    fields: { template: required(podTemplate), replicas: withDefault(integer, 1) },
    others: "ignore",
  }),
  ({ template, replicas }) => ({ podLabels: template.metadata.labels, replicas }),
);
