import { mapOf, refine, stringMap, transform } from "../decode/collections.ts";
import { type Decoder, invalid, positionOf, renderPath, report, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, portNumber, string } from "../decode/scalars.ts";
import { complainFqdn, isIpAddress } from "../names.ts";
import type { WorkloadEntrySpec, WorkloadGroupSpec } from "../service-entry.ts";

const address = refine(string, (text) => {
  if (text.startsWith("unix://")) {
    return /^unix:\/\/(?:@|\/).*[^/]$/.test(text) ? undefined : "must be unix:// and an absolute path";
  }
  return text === "" || isIpAddress(text) ? undefined : complainFqdn(text);
});

const weight = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be from 0 to 4294967295, but is ${value}` : undefined,
);

const entryFields = object({
  fields: {
    address: optional(address),
    ports: withDefault(mapOf(portNumber), {}),
    labels: withDefault(stringMap, {}),
    network: optional(string),
    locality: optional(string),
    weight: optional(weight),
    serviceAccount: optional(string),
  },
});

/** What an address may be of one of a group is known only once it joins. */
const decodeTemplate: Decoder<WorkloadEntrySpec> = transform(entryFields, (entry, place, context) => {
  if (entry.address?.startsWith("unix://") === true && Object.keys(entry.ports).length > 0) {
    report(place, context, {
      code: "KIR1014",
      message: `"${renderPath(place)}" has a Unix socket for its address, and those have no ports.`,
    });
    return invalid;
  }
  const given = entry.address === "" ? undefined : entry.address;
  return { ...entry, address: given, at: positionOf(place, context) };
});

/** An endpoint: inline in a ServiceEntry, or the spec of a WorkloadEntry. */
export const decodeWorkloadEntry: Decoder<WorkloadEntrySpec> = transform(decodeTemplate, (entry, place, context) =>
  entry.address === undefined && (entry.network ?? "") === ""
    ? reportValue(place, context, "needs an address, or a network")
    : entry,
);

const groupMetadata = object({
  fields: { labels: withDefault(stringMap, {}), annotations: withDefault(stringMap, {}) },
});

/** `networking.istio.io` WorkloadGroup. */
export const decodeWorkloadGroup: Decoder<WorkloadGroupSpec> = transform(
  object({
    fields: { metadata: optional(groupMetadata), template: required(decodeTemplate) },
    unserved: { probe: "endpoints on this machine are asked by their LocalWorkload" },
  }),
  ({ metadata, template }) => ({
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    template,
  }),
);
