import { list, nonEmpty, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, reportDiscouraged, reportValue } from "../decode/decoder.ts";
import { ignored, object, optional, required, withDefault } from "../decode/object.ts";
import { complainHost, complainSubnet, isIpAddress } from "../names.ts";
import type { ConnectionMatch, RouteDestination, TcpRoute, TlsMatch, TlsRoute } from "../virtual-service.ts";
import { decodeDestination, decodeWeight } from "./destination.ts";
import { gatewayNames } from "./gateway-names.ts";
import { checkedStrings, itemPlace } from "./hosts.ts";
import { namespaceCondition, portCondition } from "./http-match.ts";
import { labelMap } from "./label-selector.ts";

const matchFields = {
  destinationSubnets: ignored(
    withDefault(checkedStrings(complainSubnet), []),
    "gateways do not look at them, and callers here reach services by name",
  ),
  port: optional(portCondition),
  sourceLabels: withDefault(labelMap, {}),
  sourceNamespace: optional(namespaceCondition),
  gateways: withDefault(gatewayNames, []),
};

/** As istiod names a service for connections between clusters: `outbound_.80_._.app.shop`. */
const generatedPattern = /^outbound_\..*[0-9].*_\..*_\..*[a-zA-Z]/;

export function isGeneratedName(text: string): boolean {
  return generatedPattern.test(text);
}

export function complainServerName(text: string): string | undefined {
  return isGeneratedName(text) ? undefined : complainHost(text);
}

/** An address is no name by RFC 6066, so that most clients send none. */
const serverNames = transform(nonEmpty(checkedStrings(complainServerName)), (names, place, context) => {
  for (const [index, name] of names.entries()) {
    if (isIpAddress(name)) {
      reportDiscouraged(itemPlace(place, index), context, "is an IP address, which TLS clients do not name");
    }
  }
  return names;
});

const decodeTcpMatch: Decoder<ConnectionMatch> = transform(
  object({ fields: matchFields, unserved: { sourceSubnet: "Istio does not read it either" } }),
  (match, place, context) => ({ ...match, at: positionOf(place, context) }),
);

const decodeTlsMatch: Decoder<TlsMatch> = transform(
  object({ fields: { sniHosts: required(serverNames), ...matchFields } }),
  (match, place, context) => ({ ...match, at: positionOf(place, context) }),
);

const decodeDestinationShare: Decoder<RouteDestination> = object({
  fields: { destination: required(decodeDestination), weight: optional(decodeWeight) },
});

/** Zero everywhere leaves nobody to send to; a single destination's weight is ignored, even 0. */
const destinations: Decoder<readonly RouteDestination[]> = transform(
  nonEmpty(list(decodeDestinationShare)),
  (shares, place, context) => {
    const total = shares.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
    return shares.length > 1 && total === 0
      ? reportValue(place, context, {
          complaint: "has several destinations and a total weight of 0",
          hint: "Give at least one destination a weight above 0.",
        })
      : shares;
  },
);

/** One rule of `tls`. Source of the rules: Istio `pkg/config/validation/virtualservice.go`. */
export const decodeTlsRoute: Decoder<TlsRoute> = transform(
  object({ fields: { match: required(nonEmpty(list(decodeTlsMatch))), route: required(destinations) } }),
  ({ match, route }, place, context) => ({ match, destinations: route, at: positionOf(place, context) }),
);

/** One rule of `tcp`. */
export const decodeTcpRoute: Decoder<TcpRoute> = transform(
  object({ fields: { match: withDefault(list(decodeTcpMatch), []), route: required(destinations) } }),
  ({ match, route }, place, context) => ({ match, destinations: route, at: positionOf(place, context) }),
);
