import { list, refine, strings, transform } from "../decode/collections.ts";
import { type Decoder, report, renderPath } from "../decode/decoder.ts";
import { fieldPlace, object, optional, withDefault } from "../decode/object.ts";
import { boolean, durationMs, oneOf } from "../decode/scalars.ts";
import type { HttpCors } from "../virtual-service.ts";
import { checkedStrings } from "./hosts.ts";
import { isHeaderName, originMatch } from "./string-match.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"];

const methodNames = checkedStrings((text) =>
  methods.includes(text) ? undefined : `is ${JSON.stringify(text)}, which is none of ${methods.join(", ")}`,
);

const headerNames = checkedStrings((text) =>
  text === "*" || isHeaderName(text) ? undefined : `is ${JSON.stringify(text)}, which is no header name`,
);

const maxAge = refine(durationMs, (value) => (value % 1000 === 0 ? undefined : "must be in whole seconds"));

/** `corsPolicy`. Source of the rules: Istio `pkg/config/validation/validation.go`, validateCORSPolicy. */
export const decodeCors: Decoder<HttpCors> = transform(
  object({
    fields: {
      allowOrigins: withDefault(list(originMatch), []),
      allowOrigin: optional(strings),
      allowMethods: withDefault(methodNames, []),
      allowHeaders: withDefault(headerNames, []),
      exposeHeaders: withDefault(headerNames, []),
      maxAge: optional(maxAge),
      allowCredentials: optional(boolean),
      unmatchedPreflights: optional(oneOf(["UNSPECIFIED", "FORWARD", "IGNORE"])),
    },
  }),
  ({ allowOrigin = [], maxAge: age, unmatchedPreflights, ...others }, place, context) => {
    const old = fieldPlace(place, "allowOrigin");
    if (old !== undefined) {
      const message = `"${renderPath(old)}" is deprecated.`;
      report(old, context, { code: "KIR1013", message, hint: "Write allowOrigins: [{exact: ORIGIN}] instead." });
    }
    return {
      ...others,
      allowOrigins:
        others.allowOrigins.length > 0
          ? others.allowOrigins
          : allowOrigin.map((origin) => ({ kind: "exact", value: origin }) as const),
      maxAgeSeconds: age === undefined ? undefined : age / 1000,
      unmatchedPreflights: unmatchedPreflights === "IGNORE" ? "IGNORE" : "FORWARD",
    };
  },
);
