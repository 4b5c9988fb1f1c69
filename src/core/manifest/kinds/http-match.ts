import { refine, transform } from "../decode/collections.ts";
import { type Decoder, positionOf } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, portNumber, string, zeroOr } from "../decode/scalars.ts";
import { complainLabel } from "../names.ts";
import type { HttpMatch } from "../virtual-service.ts";
import { gatewayNames } from "./gateway-names.ts";
import { labelMap } from "./label-selector.ts";
import { headerMatches, queryMatches, uriMatch, valueMatch, withoutHeaderMatches } from "./string-match.ts";

/** 0 and an empty name are the same as nothing. */
export const portCondition: Decoder<number | undefined> = transform(zeroOr(portNumber), (port) =>
  port === 0 ? undefined : port,
);

export const namespaceCondition: Decoder<string | undefined> = transform(
  refine(string, (text) => (text === "" ? undefined : complainLabel(text))),
  (text) => (text === "" ? undefined : text),
);

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
      withoutHeaders: withDefault(withoutHeaderMatches, {}),
      queryParams: withDefault(queryMatches, {}),
      port: optional(portCondition),
      gateways: withDefault(gatewayNames, []),
      sourceLabels: withDefault(labelMap, {}),
      sourceNamespace: optional(namespaceCondition),
      statPrefix: optional(string),
    },
  }),
  (match, place, context) => ({ ...match, at: positionOf(place, context) }),
);
