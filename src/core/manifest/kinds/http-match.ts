import { stringMap, transform } from "../decode/collections.ts";
import { type Decoder, positionOf } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, portNumber, string } from "../decode/scalars.ts";
import type { HttpMatch } from "../virtual-service.ts";
import { gatewayNames } from "./gateway-names.ts";
import { headerMatches, queryMatches, uriMatch, valueMatch } from "./string-match.ts";

/** One entry of `match`: its conditions hold together. */
export const decodeHttpMatch: Decoder<HttpMatch> = transform(
  object({
    fields: {
      name: optional(string),
      uri: optional(uriMatch),
      ignoreUriCase: withDefault(boolean, false),
      scheme: optional(valueMatch),
      method: optional(valueMatch),
      authority: optional(valueMatch),
      headers: withDefault(headerMatches, {}),
      withoutHeaders: withDefault(headerMatches, {}),
      queryParams: withDefault(queryMatches, {}),
      port: optional(portNumber),
      gateways: withDefault(gatewayNames, []),
      sourceLabels: withDefault(stringMap, {}),
      sourceNamespace: optional(string),
      statPrefix: optional(string),
    },
  }),
  (match, place, context) => ({ ...match, at: positionOf(place, context) }),
);
