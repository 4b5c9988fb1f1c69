import { lenientList, list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  reportConflict,
  reportDiscouraged,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber, string, zeroOr } from "../decode/scalars.ts";
import type { ObjectMeta } from "../manifest.ts";
import { complainLabel, complainPartialWildcard, complainSubnet, complainWildcardHost } from "../names.ts";
import type { ServiceEntryPort, ServiceEntrySpec } from "../service-entry.ts";
import { checkedStrings, itemPlace, serviceEntryExportTo } from "./hosts.ts";
import { labelSelector } from "./label-selector.ts";
import { protocolOrNone } from "./port-protocol.ts";
import { findServiceEntryConflict } from "./service-entry-conflicts.ts";
import { decodeWorkloadEntry } from "./workload-entry.ts";

const decodePort: Decoder<ServiceEntryPort> = transform(
  object({
    fields: {
      number: required(portNumber),
      name: required(refine(string, complainLabel)),
      protocol: withDefault(protocolOrNone, "TCP"),
      targetPort: optional(zeroOr(portNumber)),
    },
  }),
  ({ targetPort, ...port }, place, context) => ({
    ...port,
    targetPort: targetPort === 0 ? undefined : targetPort,
    at: positionOf(place, context),
  }),
);

const host = (text: string): string | undefined =>
  text === "*" ? 'must not be "*", which would take every host' : complainWildcardHost(text);

const address = (text: string): string | undefined =>
  text.length > 64 ? "must be at most 64 characters long" : complainSubnet(text);

const resolutions = oneOf(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]);

/** Bounds of the schema, which keep a hopeless file from costing anything. */
const atMost =
  (limit: number) =>
  (items: readonly unknown[]): string | undefined =>
    items.length > limit ? `must have at most ${limit} items, but has ${items.length}` : undefined;

const decodeFields = object({
  fields: {
    hosts: required(refine(nonEmpty(checkedStrings(host)), atMost(256))),
    addresses: withDefault(refine(checkedStrings(address), atMost(256)), []),
    ports: withDefault(refine(lenientList(decodePort), atMost(256)), []),
    location: withDefault(oneOf(["MESH_EXTERNAL", "MESH_INTERNAL"]), "MESH_EXTERNAL"),
    resolution: withDefault(resolutions, "NONE"),
    endpoints: withDefault(refine(list(decodeWorkloadEntry), atMost(4096)), []),
    workloadSelector: optional(labelSelector),
    subjectAltNames: withDefault(strings, []),
    exportTo: withDefault(serviceEntryExportTo, []),
  },
});

/** `status.addresses` of an object that was read from a cluster. */
function hasAllocatedAddresses(document: Place | undefined): boolean {
  const status = document === undefined ? undefined : fieldPlace(document, "status");
  const addresses = status === undefined ? undefined : fieldPlace(status, "addresses")?.value;
  return addresses?.kind === "list" && addresses.items.length > 0;
}

/** `networking.istio.io` ServiceEntry. Source of the rules: Istio `pkg/config/validation/validation.go` and the CRD. */
export function decodeServiceEntry(metadata: ObjectMeta, document?: Place): Decoder<ServiceEntrySpec> {
  return transform(decodeFields, (spec, place, context) => {
    checkPorts(spec.ports, fieldPlace(place, "ports") ?? place, context);
    const conflict = findServiceEntryConflict(spec, metadata);
    if (conflict !== undefined) {
      reportConflict(place, context, conflict);
    }
    // The schema asks whether endpoints are written, and an empty list is.
    const endpoints = fieldPlace(place, "endpoints");
    if (endpoints !== undefined && spec.endpoints.length === 0 && spec.resolution === "NONE") {
      reportConflict(endpoints, context, "must not be there with resolution NONE");
    }
    warnAboutMeaning(spec, metadata, { place, context });
    return hasAllocatedAddresses(document) ? { ...spec, hasAllocatedAddresses: true } : spec;
  });
}

function checkPorts(ports: readonly ServiceEntryPort[], place: Place, context: DecodeContext): void {
  const names = new Set(ports.map((port) => port.name));
  const numbers = new Set(ports.map((port) => port.number));
  if (names.size < ports.length || numbers.size < ports.length) {
    reportConflict(place, context, `has two ports with the same ${names.size < ports.length ? "name" : "number"}`);
  }
}

interface Where {
  readonly place: Place;
  readonly context: DecodeContext;
}

/** What Istio takes with a warning. */
function warnAboutMeaning(spec: ServiceEntrySpec, metadata: ObjectMeta, { place, context }: Where): void {
  const { hosts, resolution } = spec;
  const hostsPlace = fieldPlace(place, "hosts") ?? place;
  for (const [index, name] of hosts.entries()) {
    const complaint = resolution === "DYNAMIC_DNS" ? undefined : complainPartialWildcard(name);
    if (complaint !== undefined) {
      reportDiscouraged(itemPlace(hostsPlace, index), context, complaint);
    }
  }
  if (spec.workloadSelector !== undefined && resolution === "NONE") {
    reportDiscouraged(place, context, "has a workloadSelector, which has no effect with resolution NONE");
  }
  const tcp = spec.ports.findIndex((port) => port.protocol === "TCP");
  if (tcp !== -1 && needsAddresses(spec, metadata)) {
    const at = itemPlace(fieldPlace(place, "ports") ?? place, tcp);
    reportDiscouraged(at, context, "speaks TCP, and without spec.addresses nothing tells its connections from others");
  }
  const looksUp = resolution === "DNS" || resolution === "DNS_ROUND_ROBIN";
  const isTcp = spec.ports.some((port) => ["TCP", "HTTPS", "TLS", "MONGO", "REDIS", "MYSQL"].includes(port.protocol));
  if (looksUp && spec.addresses.length > 0 && hosts.length > 1 && isTcp) {
    reportDiscouraged(hostsPlace, context, "has more than one host beside addresses and a TCP port");
  }
}

/** Istio gives addresses by itself, except with resolution NONE and where a label says no. */
function needsAddresses(spec: ServiceEntrySpec, metadata: ObjectMeta): boolean {
  const label = metadata.labels["networking.istio.io/enable-autoallocate-ip"]?.toLowerCase();
  return spec.addresses.length === 0 && (spec.resolution === "NONE" || label === "false");
}
