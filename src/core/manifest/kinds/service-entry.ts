import { lenientList, list, mapOf, nonEmpty, refine, stringMap, transform } from "../decode/collections.ts";
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
import { integer, oneOf, portNumber, string } from "../decode/scalars.ts";
import { complainFqdn, complainLabel, complainWildcardHost, isIpAddress } from "../names.ts";
import type { ServiceEntryPort, ServiceEntrySpec, WorkloadEntrySpec } from "../service-entry.ts";
import { checkedStrings, exportTo } from "./hosts.ts";
import { portProtocol } from "./port-protocol.ts";

const decodePort: Decoder<ServiceEntryPort> = transform(
  object({
    fields: {
      number: required(portNumber),
      name: required(refine(string, complainLabel)),
      protocol: withDefault(portProtocol, "TCP"),
      targetPort: optional(portNumber),
    },
  }),
  (port, place, context) => ({ ...port, at: positionOf(place, context) }),
);

const address = refine(string, (text) => {
  if (text.startsWith("unix://")) {
    return /^unix:\/\/(?:@|\/)./.test(text) ? undefined : "must be unix:// and an absolute path";
  }
  return isIpAddress(text) ? undefined : complainFqdn(text);
});

const weight = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be from 0 to 4294967295, but is ${value}` : undefined,
);

/** An endpoint: inline in a ServiceEntry, or the spec of a WorkloadEntry. */
export const decodeWorkloadEntry: Decoder<WorkloadEntrySpec> = transform(
  object({
    fields: {
      address: optional(address),
      ports: withDefault(mapOf(portNumber), {}),
      labels: withDefault(stringMap, {}),
      weight: optional(weight),
    },
    unserved: {
      network: "there is one network only",
      locality: "there is one locality only",
      serviceAccount: "nothing checks identities",
    },
  }),
  (entry, place, context) => {
    if (entry.address === undefined) {
      return reportValue(place, context, "needs an address");
    }
    if (entry.address.startsWith("unix://")) {
      const message = `"${renderPath(place)}.address" is a Unix socket, which is not supported yet.`;
      report(place, context, { code: "KIR1006", message });
      return invalid;
    }
    return { ...entry, address: entry.address, at: positionOf(place, context) };
  },
);

const host = (text: string): string | undefined =>
  text === "*" ? 'must not be "*", which would take every host' : complainWildcardHost(text);

const addressOrRange = (text: string): string | undefined => {
  const [ip = "", bits, ...rest] = text.split("/");
  const isRange = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (ip.includes(":") ? 128 : 32));
  return isIpAddress(ip) && isRange && rest.length === 0
    ? undefined
    : `must be an IP address or a CIDR range, but is ${JSON.stringify(text)}`;
};

const resolutions = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] as const;

const decodeFields = object({
  fields: {
    hosts: required(nonEmpty(checkedStrings(host))),
    addresses: withDefault(checkedStrings(addressOrRange), []),
    ports: withDefault(lenientList(decodePort), []),
    location: withDefault(oneOf(["MESH_EXTERNAL", "MESH_INTERNAL"]), "MESH_EXTERNAL"),
    resolution: withDefault(oneOf(resolutions), "NONE"),
    endpoints: withDefault(list(decodeWorkloadEntry), []),
    workloadSelector: optional(object({ fields: { labels: withDefault(stringMap, {}) } })),
    exportTo: withDefault(exportTo, []),
  },
  unserved: { subjectAltNames: "local workloads speak plain text" },
});

type EntryFields = Exclude<ReturnType<typeof decodeFields>, symbol>;

/** `networking.istio.io` ServiceEntry. Source of the rules: Istio `pkg/config/validation/validation.go` and the CRD. */
export const decodeServiceEntry: Decoder<ServiceEntrySpec> = transform(decodeFields, (fields, place, context) => {
  const { resolution, workloadSelector, ...others } = fields;
  if (resolution === "DYNAMIC_DNS") {
    const at = fieldPlace(place, "resolution") ?? place;
    report(at, context, {
      code: "KIR1006",
      message: `"${renderPath(at)}" is DYNAMIC_DNS, which is not supported yet.`,
    });
    return invalid;
  }
  checkPorts(fields.ports, place, context);
  return checkResolution(fields, place, context) === invalid
    ? invalid
    : { ...others, resolution, workloadSelector: workloadSelector?.labels };
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
      return endpoints.some((endpoint) => !isIpAddress(endpoint.address))
        ? "must have IP addresses for its endpoints with resolution STATIC"
        : undefined;
    case "DNS_ROUND_ROBIN":
    case "DNS":
    case "DYNAMIC_DNS":
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
