import { lenientList, list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  positionOf,
  renderPath,
  report,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber, string } from "../decode/scalars.ts";
import { complainLabel, complainSubnet, complainWildcardHost, isIpAddress } from "../names.ts";
import type { ServiceEntryPort, ServiceEntrySpec, WorkloadEntrySpec } from "../service-entry.ts";
import { checkedStrings, exportTo } from "./hosts.ts";
import { labelSelector } from "./label-selector.ts";
import { protocolOrNone } from "./port-protocol.ts";
import { decodeWorkloadEntry } from "./workload-entry.ts";

const decodePort: Decoder<ServiceEntryPort> = transform(
  object({
    fields: {
      number: required(portNumber),
      name: required(refine(string, complainLabel)),
      protocol: withDefault(protocolOrNone, "TCP"),
      targetPort: optional(portNumber),
    },
  }),
  (port, place, context) => ({ ...port, at: positionOf(place, context) }),
);

const host = (text: string): string | undefined =>
  text === "*" ? 'must not be "*", which would take every host' : complainWildcardHost(text);

const resolutions = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] as const;

const decodeFields = object({
  fields: {
    hosts: required(nonEmpty(checkedStrings(host))),
    addresses: withDefault(checkedStrings(complainSubnet), []),
    ports: withDefault(lenientList(decodePort), []),
    location: withDefault(oneOf(["MESH_EXTERNAL", "MESH_INTERNAL"]), "MESH_EXTERNAL"),
    resolution: withDefault(oneOf(resolutions), "NONE"),
    endpoints: withDefault(list(decodeWorkloadEntry), []),
    workloadSelector: optional(labelSelector),
    subjectAltNames: withDefault(strings, []),
    exportTo: withDefault(exportTo, []),
  },
});

type EntryFields = Exclude<ReturnType<typeof decodeFields>, symbol>;

/** `networking.istio.io` ServiceEntry. Source of the rules: Istio `pkg/config/validation/validation.go` and the CRD. */
export const decodeServiceEntry: Decoder<ServiceEntrySpec> = transform(decodeFields, (fields, place, context) => {
  checkPorts(fields.ports, place, context);
  return checkResolution(fields, place, context) === invalid ? invalid : fields;
});

function checkPorts(ports: readonly ServiceEntryPort[], place: Place, context: DecodeContext): void {
  const names = new Set(ports.map((port) => port.name));
  const numbers = new Set(ports.map((port) => port.number));
  if (names.size < ports.length || numbers.size < ports.length) {
    const at = fieldPlace(place, "ports") ?? place;
    const what = names.size < ports.length ? "name" : "number";
    report(at, context, { code: "KIR1014", message: `"${renderPath(at)}" has two ports with the same ${what}.` });
  }
}

/** What may stand together, rule by rule; the first that is broken is reported. */
function checkResolution(fields: EntryFields, place: Place, context: DecodeContext): Invalid | undefined {
  const complaint = findConflict(fields);
  if (complaint === undefined) {
    return undefined;
  }
  report(place, context, { code: "KIR1014", message: `"${renderPath(place)}" ${complaint}.` });
  return invalid;
}

function findConflict(fields: EntryFields): string | undefined {
  const { resolution, endpoints, workloadSelector, addresses, hosts, ports } = fields;
  if (workloadSelector !== undefined && endpoints.length > 0) {
    return "must not have both workloadSelector and endpoints";
  }
  if (addresses.some((entry) => entry.includes("/")) && resolution !== "NONE" && resolution !== "STATIC") {
    return `must not have a CIDR range in addresses with resolution ${resolution}`;
  }
  const unknown = endpoints.flatMap((endpoint) => Object.keys(endpoint.ports));
  const names = new Set(ports.map((port) => port.name));
  const stray = unknown.find((name) => !names.has(name));
  if (stray !== undefined) {
    return `has an endpoint with the port "${stray}", which is not among its ports`;
  }
  switch (resolution) {
    case "NONE":
      return endpoints.length > 0 ? "must not have endpoints with resolution NONE" : undefined;
    case "STATIC":
      return endpoints.some((endpoint) => endpoint.address !== undefined && !isIpAddress(endpoint.address))
        ? "must have IP addresses for its endpoints with resolution STATIC"
        : undefined;
    case "DYNAMIC_DNS":
      return undefined;
    case "DNS_ROUND_ROBIN":
    case "DNS":
      return findDnsConflict(resolution, endpoints, hosts);
  }
}

function findDnsConflict(
  resolution: string,
  endpoints: readonly WorkloadEntrySpec[],
  hosts: readonly string[],
): string | undefined {
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1) {
    return "must have at most one endpoint with resolution DNS_ROUND_ROBIN";
  }
  return endpoints.length === 0 && hosts.some((name) => name.startsWith("*"))
    ? `needs endpoints, because a wildcard host cannot be looked up with resolution ${resolution}`
    : undefined;
}
