import { lenientList, list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, type Place, positionOf, reportValue } from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, oneOf, portNumber, string } from "../decode/scalars.ts";
import type { EndpointSliceSpec, SliceEndpoint, SlicePort } from "../endpoint-slice.ts";
import type { ObjectMeta } from "../manifest.ts";
import { complainAddress } from "../names.ts";

const decodePort: Decoder<SlicePort> = transform(
  object({
    fields: {
      name: optional(string),
      port: optional(portNumber),
      protocol: withDefault(oneOf(["TCP", "UDP", "SCTP"]), "TCP"),
      appProtocol: optional(string),
    },
  }),
  ({ port, name, ...others }) => ({ ...others, name: name === "" ? undefined : name, number: port }),
);

const targetRef = object({
  fields: { kind: optional(string), name: optional(string), namespace: optional(string) },
  foreign: ["uid", "apiVersion", "resourceVersion", "fieldPath"],
});

type TargetRef = Exclude<ReturnType<typeof targetRef>, symbol>;

function podOf(target: TargetRef | undefined, namespace: string): SliceEndpoint["pod"] {
  return target?.kind === "Pod" && target.name !== undefined
    ? { name: target.name, namespace: target.namespace ?? namespace }
    : undefined;
}

const conditions = object({
  fields: { ready: optional(boolean), serving: optional(boolean), terminating: optional(boolean) },
});

const sliceEndpoint = object({
  fields: {
    addresses: required(nonEmpty(strings)),
    conditions: optional(conditions),
    targetRef: optional(targetRef),
    zone: optional(string),
  },
  foreign: ["hostname", "nodeName", "hints", "deprecatedTopology"],
});

/** What stands beside the content of an object that has no spec. */
const documentFields = ["apiVersion", "kind", "metadata"];

const serviceLabel = "kubernetes.io/service-name";

const sliceFields = object({
  fields: {
    addressType: required(oneOf(["IPv4", "IPv6", "FQDN"])),
    ports: withDefault(list(decodePort), []),
    endpoints: withDefault(
      lenientList(
        transform(sliceEndpoint, (endpoint, place, context) => ({ endpoint, place, at: positionOf(place, context) })),
      ),
      [],
    ),
  },
  foreign: documentFields,
});

/** A `discovery.k8s.io/v1` EndpointSlice, read from the whole document. A condition that is unknown counts as ready. */
export function decodeEndpointSlice(metadata: ObjectMeta): Decoder<EndpointSliceSpec> {
  return transform(sliceFields, ({ addressType, ports, endpoints }, _, context) => ({
    service: metadata.labels[serviceLabel],
    addressType,
    endpoints: endpoints.filter(hasAddresses(addressType, context)).map(({ endpoint, at }) => ({
      addresses: endpoint.addresses,
      ports,
      isReady: endpoint.conditions?.ready ?? true,
      pod: podOf(endpoint.targetRef, metadata.namespace),
      zone: endpoint.zone,
      at,
    })),
  }));
}

/** One that is no address would make Envoy refuse all endpoints of the Service. */
function hasAddresses(type: EndpointSliceSpec["addressType"], context: DecodeContext) {
  return ({ endpoint, place }: { endpoint: { readonly addresses: readonly string[] }; place: Place }): boolean => {
    const complaints = type === "FQDN" ? [] : endpoint.addresses.flatMap((address) => complainAddress(address) ?? []);
    for (const complaint of complaints) reportValue(fieldPlace(place, "addresses") ?? place, context, complaint);
    return complaints.length === 0;
  };
}

const subsetAddress = object({
  fields: { ip: required(refine(string, complainAddress)), targetRef: optional(targetRef) },
  foreign: ["hostname", "nodeName"],
});

const addresses = withDefault(
  lenientList(
    transform(subsetAddress, (address, place: Place, context: DecodeContext) => ({
      ...address,
      at: positionOf(place, context),
    })),
  ),
  [],
);

const subset = object({
  fields: { addresses, notReadyAddresses: addresses, ports: withDefault(list(decodePort), []) },
});

/** The subsets of `v1` Endpoints, read from the whole document. Each combines its own addresses and ports. */
export function decodeEndpoints(metadata: ObjectMeta): Decoder<EndpointSliceSpec> {
  return transform(
    object({ fields: { subsets: withDefault(lenientList(subset), []) }, foreign: documentFields }),
    (fields) => {
      const endpoints = fields.subsets.flatMap((part) => [
        ...part.addresses.map((address) => ({ ...address, ports: part.ports, isReady: true })),
        ...part.notReadyAddresses.map((address) => ({ ...address, ports: part.ports, isReady: false })),
      ]);
      return {
        service: metadata.name,
        addressType: endpoints.some(({ ip }) => ip.includes(":")) ? "IPv6" : "IPv4",
        endpoints: endpoints.map(({ ip, isReady, targetRef: target, at, ports }) => ({
          addresses: [ip],
          ports,
          isReady,
          pod: podOf(target, metadata.namespace),
          zone: undefined,
          at,
        })),
      };
    },
  );
}
