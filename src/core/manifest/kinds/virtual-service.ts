import { lenientList, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  positionOf,
  report,
  reportConflict,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, withDefault } from "../decode/object.ts";
import { coversHost, isWildcard, wildcardsAbove } from "../host-pattern.ts";
import { isIpAddress } from "../names.ts";
import type { HttpRoute, TlsRoute, VirtualServiceSpec } from "../virtual-service.ts";
import { complainServerName, decodeTcpRoute, decodeTlsRoute, isGeneratedName } from "./connection-match.ts";
import { gatewayNames } from "./gateway-names.ts";
import { checkedStrings, exportTo } from "./hosts.ts";
import { decodeHttpRoute } from "./http-route.ts";
import { isClaim } from "./string-match.ts";

const decodeFields = object({
  fields: {
    // None makes a delegate.
    hosts: withDefault(checkedStrings(complainServerName), []),
    gateways: withDefault(gatewayNames, []),
    http: withDefault(lenientList(decodeHttpRoute), []),
    tls: withDefault(lenientList(decodeTlsRoute), []),
    tcp: withDefault(lenientList(decodeTcpRoute), []),
    exportTo: withDefault(exportTo, []),
  },
});

interface Where {
  readonly place: Place;
  readonly context: DecodeContext;
}

/** `networking.istio.io` VirtualService. Source of the rules: Istio `pkg/config/validation/virtualservice.go`. */
export const decodeVirtualService: Decoder<VirtualServiceSpec> = transform(decodeFields, (fields, place, context) => {
  if (["http", "tls", "tcp"].every((name) => isEmptyList(fieldPlace(place, name)))) {
    // It is kept all the same: whether its hosts and gateways are right is another question.
    reportMissingRules(place, context);
  }
  const spec = {
    ...fields,
    hostsAt: positionOf(fieldPlace(place, "hosts") ?? place, context),
    gatewaysAt: positionOf(fieldPlace(place, "gateways") ?? place, context),
  };
  if (fields.hosts.length === 0) {
    checkDelegate(spec, { place, context });
  }
  checkClaims(spec, { place, context });
  checkServerNames(fields.tls, fields.hosts, { place, context });
  return checkHosts(fields.hosts, fields.gateways, { place, context }) === invalid ? invalid : spec;
});

function isEmptyList(place: Place | undefined): boolean {
  return place === undefined || (place.value.kind === "list" && place.value.items.length === 0);
}

function reportMissingRules(place: Place, context: DecodeContext): void {
  report(place, context, { code: "KIR1010", message: '"spec" needs rules: one of http, tls and tcp.' });
}

/** A VirtualService without hosts has rules for others, and only for HTTP. */
function checkDelegate(spec: VirtualServiceSpec, { place, context }: Where): void {
  for (const name of ["gateways", "tls", "tcp"] as const) {
    if (spec[name].length > 0) {
      const at = fieldPlace(place, name) ?? place;
      reportConflict(
        at,
        context,
        "must not be there without hosts, which makes this a delegate for others' http rules",
      );
    }
  }
  if (spec.http.some(({ action }) => action.kind === "delegate")) {
    const at = fieldPlace(place, "http") ?? place;
    reportConflict(at, context, "must not delegate again: without hosts this is a delegate itself");
  }
}

/** Only a gateway reads claims. */
function checkClaims({ http, gateways }: VirtualServiceSpec, { place, context }: Where): void {
  const claim = http.flatMap(claimsOf)[0];
  if (claim !== undefined && isForMesh(gateways)) {
    const at = fieldPlace(place, "gateways") ?? place;
    reportConflict(at, context, `must name gateways and not the mesh, because a rule matches ${JSON.stringify(claim)}`);
  }
}

function claimsOf(rule: HttpRoute): readonly string[] {
  return rule.match.flatMap(({ headers, withoutHeaders }) =>
    [...Object.keys(headers), ...Object.keys(withoutHeaders)].filter(isClaim),
  );
}

function isForMesh(gateways: readonly string[]): boolean {
  return gateways.length === 0 || gateways.includes("mesh");
}

/** Each name that TLS clients ask for belongs to one of the hosts. */
function checkServerNames(tls: readonly TlsRoute[], hosts: readonly string[], { place, context }: Where): void {
  for (const name of tls.flatMap((rule) => rule.match.flatMap((match) => match.sniHosts))) {
    if (!isIpAddress(name) && !isGeneratedName(name) && !hosts.some((host) => coversHost(host, name))) {
      const at = fieldPlace(place, "tls") ?? place;
      reportValue(at, context, `matches the name ${JSON.stringify(name)}, which belongs to none of spec.hosts`);
    }
  }
}

function checkHosts(hosts: readonly string[], gateways: readonly string[], where: Where): Invalid | undefined {
  const { place, context } = where;
  const at = fieldPlace(place, "hosts") ?? place;
  if (isForMesh(gateways) && hosts.includes("*")) {
    const hint = "Name hosts, or list gateways without mesh.";
    return reportConflict(at, context, {
      complaint: 'has the host "*", which is not allowed for callers inside the mesh',
      hint,
    });
  }
  const duplicate = findOverlap(hosts.map((host) => host.toLowerCase()));
  return duplicate === undefined
    ? undefined
    : reportConflict(at, context, `has hosts that overlap: "${duplicate[0]}" and "${duplicate[1]}"`);
}

/** Two hosts of which some name belongs to both; linear in their number but for wildcards such as `*foo.com`. */
function findOverlap(hosts: readonly string[]): readonly [string, string] | undefined {
  const seen = new Set<string>();
  for (const host of hosts) {
    if (seen.has(host)) {
      return [host, host];
    }
    seen.add(host);
  }
  const partial = hosts.filter((host) => isWildcard(host) && host !== "*" && !host.startsWith("*."));
  for (const host of hosts) {
    const wildcard =
      wildcardsAbove(host).find((above) => above !== host && seen.has(above)) ??
      partial.find((other) => other !== host && coversHost(other, host));
    if (wildcard !== undefined) {
      return [host, wildcard];
    }
  }
  return undefined;
}
