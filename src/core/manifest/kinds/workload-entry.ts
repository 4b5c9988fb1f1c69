import { mapOf, refine, transform } from "../decode/collections.ts";
import {
  type Decoder,
  invalid,
  positionOf,
  reportConflict,
  reportDiscouraged,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, ignored, object, optional, required, withDefault } from "../decode/object.ts";
import { integer, portNumber, string } from "../decode/scalars.ts";
import { complainFqdn, complainLabel, isIpAddress } from "../names.ts";
import type { WorkloadEntrySpec, WorkloadGroupSpec } from "../service-entry.ts";
import { labelMap } from "./label-selector.ts";
import { decodeReadinessProbe } from "./readiness-probe.ts";
import { complainUnixAddress, isUnixAddress } from "./unix-address.ts";

const weight = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be from 0 to 4294967295, but is ${value}` : undefined,
);

const endpointPorts = mapOf((place, context) => {
  const name = String(place.key);
  const complaint = complainLabel(name);
  return complaint === undefined
    ? portNumber(place, context)
    : reportValue(place, context, `has the key ${JSON.stringify(name)}, which is no name of a port`);
});

const entryFields = object({
  fields: {
    address: withDefault(string, ""),
    ports: withDefault(endpointPorts, {}),
    labels: withDefault(labelMap, {}),
    network: ignored(optional(string), "there is one network on this machine"),
    locality: optional(string),
    weight: optional(weight),
    serviceAccount: ignored(optional(string), "nobody asks for identities here"),
  },
});

type EntryFields = Exclude<ReturnType<typeof entryFields>, symbol>;

function complainAddress({ address }: EntryFields): string | undefined {
  if (isUnixAddress(address)) {
    return complainUnixAddress(address);
  }
  return address === "" || isIpAddress(address) ? undefined : complainFqdn(address);
}

/** What an address may be of one of a group is known only once it joins, so a template needs none. */
const decodeTemplate: Decoder<WorkloadEntrySpec> = transform(entryFields, (entry, place, context) => {
  const { address, ...others } = entry;
  const complaint = complainAddress(entry);
  if (complaint !== undefined) {
    return reportValue(fieldPlace(place, "address") ?? place, context, complaint);
  }
  if (isUnixAddress(address) && Object.keys(entry.ports).length > 0) {
    return reportConflict(place, context, "has a Unix socket for its address, and a socket has no ports");
  }
  return { ...others, address: address === "" ? undefined : address, at: positionOf(place, context) };
});

/** An endpoint: inline in a ServiceEntry, or the spec of a WorkloadEntry. */
export const decodeWorkloadEntry: Decoder<WorkloadEntrySpec> = transform(decodeTemplate, (entry, place, context) => {
  if (entry.address !== undefined) {
    return entry;
  }
  if ((entry.network ?? "") === "") {
    reportValue(place, context, "needs an address");
    return invalid;
  }
  reportDiscouraged(place, context, "has a network and no address, and nothing on this machine is in another network");
  return entry;
});

const groupMetadata = object({
  fields: { labels: withDefault(labelMap, {}), annotations: withDefault(mapOf(string), {}) },
});

/** `networking.istio.io` WorkloadGroup. Source of the rules: Istio `validation.go`, ValidateWorkloadGroup. */
export const decodeWorkloadGroup: Decoder<WorkloadGroupSpec> = transform(
  object({
    fields: {
      metadata: optional(groupMetadata),
      template: required(decodeTemplate),
      probe: ignored(optional(decodeReadinessProbe), "what runs on this machine is asked as its LocalWorkload says"),
    },
  }),
  ({ metadata, template }) => ({
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    template,
  }),
);
