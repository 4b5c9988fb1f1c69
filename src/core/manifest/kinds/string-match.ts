import { mapOf, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  invalid,
  type Place,
  report,
  renderPath,
  reportValue,
} from "../decode/decoder.ts";
import { object, optional } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { StringMatch } from "../virtual-service.ts";

/** RE2 programs above this length are refused by Istio. */
const maximumRegexLength = 1024;

/** Envoy's bound for the name of a query parameter. */
const maximumParameterBytes = 1024;

export function complainRegex(regex: string): string | undefined {
  if (regex === "") {
    return "must not be an empty regular expression";
  }
  return regex.length > maximumRegexLength
    ? `must be a regular expression of at most ${maximumRegexLength} characters`
    : undefined;
}

/** Why Envoy would not take a text where a line of a request or of an answer is made of it. */
export function complainLine(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  return /[\u0000\r\n]/.test(text) ? "must hold no line break and no zero byte" : undefined;
}

const regexText = refine(string, complainRegex);

const forms = object({ fields: { exact: optional(string), prefix: optional(string), regex: optional(regexText) } });

/** `exact`, `prefix` or `regex`; `{}` and the regex `*` only ask for presence. */
const anyMatch: Decoder<StringMatch> = transform(forms, ({ exact, prefix, regex }, place, context) => {
  const given = Object.entries({ exact, prefix, regex }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(" and ");
    report(place, context, {
      code: "KIR1014",
      message: `"${renderPath(place)}" must have one form, but has ${names}.`,
    });
    return invalid;
  }
  if (exact !== undefined) {
    return { kind: "exact", value: exact };
  }
  if (prefix !== undefined) {
    return { kind: "prefix", value: prefix };
  }
  return regex === undefined || regex === "*" ? { kind: "present" } : { kind: "regex", value: regex };
});

/** A match on a value: an empty prefix is refused, because Envoy refuses the whole route configuration for it. */
export const valueMatch: Decoder<StringMatch> = transform(anyMatch, (match, place, context) =>
  match.kind === "prefix" && match.value === ""
    ? reportValue(place, context, { complaint: "must not have an empty prefix", hint: "Write {} to ask for presence." })
    : match,
);

/** A match on the path, which is always present. */
export const uriMatch: Decoder<Exclude<StringMatch, { kind: "present" }>> = transform(
  anyMatch,
  (match, place, context) =>
    match.kind === "present" ? reportValue(place, context, "needs exact, prefix or regex") : match,
);

/** An origin that a CORS policy allows; nothing but a value that is there means one. */
export const originMatch: Decoder<Exclude<StringMatch, { kind: "present" }>> = transform(
  anyMatch,
  (match, place, context) =>
    match.kind === "present" || match.value === ""
      ? reportValue(place, context, "needs exact, prefix or regex")
      : match,
);

/** Matches by header name. `{}` asks for presence; `null` is refused, because it could mean anything. */
export const headerMatches: Decoder<Readonly<Record<string, StringMatch>>> = mapOf((place, context) => {
  if (place.value.kind === "null") {
    const hint = "Write {} to ask for presence.";
    return reportValue(place, context, { complaint: "must not be null", hint });
  }
  return checkHeaderName(place, context) === invalid ? invalid : valueMatch(place, context);
});

export const queryMatches: Decoder<Readonly<Record<string, StringMatch>>> = mapOf((place, context) => {
  if (place.value.kind === "null") {
    const hint = "Write {} to ask for presence.";
    return reportValue(place, context, { complaint: "must not be null", hint });
  }
  const bytes = new TextEncoder().encode(String(place.key)).length;
  return bytes < 1 || bytes > maximumParameterBytes
    ? reportValue(place, context, `must have a name of 1 to ${maximumParameterBytes} bytes, but has one of ${bytes}`)
    : valueMatch(place, context);
});

function checkHeaderName(place: Place, context: DecodeContext): undefined | typeof invalid {
  const name = String(place.key);
  if (name.startsWith("@request.auth.")) {
    const message = `"${renderPath(place)}" matches a JWT claim, which is not supported yet.`;
    // It keeps `up` from serving, and is kept itself, because whether anybody checks the token is another question.
    report(place, context, { code: "KIR1006", message });
    return undefined;
  }
  return isHeaderName(name)
    ? undefined
    : reportValue(place, context, `has the key ${JSON.stringify(name)}, which is no header name`);
}

/** A token of RFC 9110 5.1, or one of HTTP/2's pseudo-headers. */
export function isHeaderName(name: string): boolean {
  return /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}
