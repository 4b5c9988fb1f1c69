import { lenientList, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  positionOf,
  renderPath,
  report,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, reportMissing, withDefault } from "../decode/object.ts";
import { wildcardsAbove } from "../host-pattern.ts";
import type { VirtualServiceSpec } from "../virtual-service.ts";
import { gatewayNames } from "./gateway-names.ts";
import { complainHost } from "../names.ts";
import { decodeTcpRoute, decodeTlsRoute } from "./connection-match.ts";
import { checkedStrings, exportTo } from "./hosts.ts";
import { decodeHttpRoute } from "./http-route.ts";

/** None makes a delegate. */
const hosts = checkedStrings(complainHost);

const decodeFields = object({
  fields: {
    hosts: optional(hosts),
    gateways: withDefault(gatewayNames, []),
    http: optional(lenientList(decodeHttpRoute)),
    tls: withDefault(lenientList(decodeTlsRoute), []),
    tcp: withDefault(lenientList(decodeTcpRoute), []),
    exportTo: withDefault(exportTo, []),
  },
});

/** `networking.istio.io` VirtualService. Source of the rules: Istio `pkg/config/validation/virtualservice.go`. */
export const decodeVirtualService: Decoder<VirtualServiceSpec> = transform(decodeFields, (fields, place, context) => {
  const { hosts: names = [], gateways, tls, tcp } = fields;
  const others = ["tls", "tcp"].some((name) => fieldPlace(place, name) !== undefined);
  if ((fields.http === undefined || isEmptyList(fieldPlace(place, "http"))) && !others) {
    // It is kept all the same: whether its hosts and gateways are right is another question.
    reportMissing("http", place, context);
  }
  const positions = {
    hostsAt: positionOf(fieldPlace(place, "hosts") ?? place, context),
    gatewaysAt: positionOf(fieldPlace(place, "gateways") ?? place, context),
  };
  return checkHosts(names, gateways, { place, context }) === invalid
    ? invalid
    : { hosts: names, gateways, http: fields.http ?? [], tls, tcp, exportTo: fields.exportTo, ...positions };
});

function isEmptyList(place: Place | undefined): boolean {
  return place?.value.kind === "list" && place.value.items.length === 0;
}

interface Where {
  readonly place: Place;
  readonly context: DecodeContext;
}

function checkHosts(hosts: readonly string[], gateways: readonly string[], where: Where): Invalid | undefined {
  const { place, context } = where;
  const at = fieldPlace(place, "hosts") ?? place;
  const isForMesh = gateways.length === 0 || gateways.includes("mesh");
  if (isForMesh && hosts.includes("*")) {
    const message = `"${renderPath(at)}" has the host "*", which is not allowed for callers inside the mesh.`;
    report(at, context, { code: "KIR1014", message, hint: "Name hosts, or list gateways without mesh." });
    return invalid;
  }
  const duplicate = findOverlap(hosts.map((host) => host.toLowerCase()));
  if (duplicate !== undefined) {
    const [first, second] = duplicate;
    const message = `"${renderPath(at)}" has hosts that overlap: "${first}" and "${second}".`;
    report(at, context, { code: "KIR1014", message });
    return invalid;
  }
  return undefined;
}

/** Two hosts of which some name belongs to both; linear in their number. */
function findOverlap(hosts: readonly string[]): readonly [string, string] | undefined {
  const seen = new Set<string>();
  for (const host of hosts) {
    if (seen.has(host)) {
      return [host, host];
    }
    seen.add(host);
  }
  for (const host of hosts) {
    const wildcard = wildcardsAbove(host).find((above) => seen.has(above));
    if (wildcard !== undefined) {
      return [host, wildcard];
    }
  }
  return undefined;
}
