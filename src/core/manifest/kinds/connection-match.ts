import { list, nonEmpty, stringMap, strings, transform } from "../decode/collections.ts";
import { type Decoder, invalid, positionOf, reportValue } from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { portNumber, string } from "../decode/scalars.ts";
import { complainHost, complainSubnet } from "../names.ts";
import type { ConnectionMatch, RouteDestination, TcpRoute, TlsMatch, TlsRoute } from "../virtual-service.ts";
import { decodeDestination, decodeWeight } from "./destination.ts";
import { gatewayNames } from "./gateway-names.ts";
import { checkedStrings } from "./hosts.ts";

const matchFields = {
  destinationSubnets: withDefault(checkedStrings(complainSubnet), []),
  port: optional(portNumber),
  sourceLabels: withDefault(stringMap, {}),
  sourceNamespace: optional(string),
  gateways: withDefault(gatewayNames, []),
};

const decodeTcpMatch: Decoder<ConnectionMatch> = transform(
  object({ fields: matchFields, unserved: { sourceSubnet: "Istio does not read it either" } }),
  (match, place, context) => ({ ...match, at: positionOf(place, context) }),
);

const decodeTlsMatch: Decoder<TlsMatch> = transform(
  object({ fields: { sniHosts: required(nonEmpty(checkedStrings(complainHost))), ...matchFields } }),
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
