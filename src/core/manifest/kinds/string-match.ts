import { mapOf, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  describeAs,
  invalid,
  type Place,
  renderPath,
  report,
  reportConflict,
  reportRefused,
  reportValue,
  reportLack,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import { compileRegex } from "../regex.ts";
import type { StringMatch } from "../virtual-service.ts";

/** RE2 programs above this length are refused by Istio. */
const maximumRegexLength = 1024;

/** Envoy's bound for the name of a query parameter. */
const maximumParameterBytes = 1024;

/** A pattern in RE2 that Envoy takes; one that it does not take would make it refuse every route of the gateway. */
export const regexText: Decoder<string> = transform(string, (regex, place, context) => {
  if (regex === "") {
    return reportValue(place, context, "must not be an empty regular expression");
  }
  if (regex.length > maximumRegexLength) {
    return reportValue(place, context, `must be a regular expression of at most ${maximumRegexLength} characters`);
  }
  const compiled = compileRegex(regex);
  if (!(compiled instanceof Error)) {
    return regex;
  }
  const message = `"${renderPath(place)}" is ${JSON.stringify(regex)}, which is not RE2: ${compiled.message}.`;
  report(place, context, { code: "KIR1101", message });
  return invalid;
});

/** Istio reads `*`, which is no pattern, as "whatever the value". */
const patternOrStar: Decoder<string> = (place, context) =>
  place.value.kind === "string" && place.value.value === "*" ? "*" : regexText(place, context);

/** Why Envoy would not take a text where a line of a request or of an answer is made of it. */
export function complainLine(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  return /[\u0000\r\n]/.test(text) ? "must hold no line break and no zero byte" : undefined;
}

const forms = object({
  fields: { exact: optional(string), prefix: optional(string), regex: optional(patternOrStar) },
});

/** `exact`, `prefix` or `regex`; `{}` and the regex `*` only ask for presence. */
const anyMatch: Decoder<StringMatch> = transform(forms, ({ exact, prefix, regex }, place, context) => {
  const given = Object.entries({ exact, prefix, regex }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(" and ");
    return reportConflict(place, context, `must have one form, but has ${names}`);
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
const plainMatch: Decoder<StringMatch> = transform(anyMatch, (match, place, context) =>
  match.kind === "prefix" && match.value === ""
    ? reportValue(place, context, { complaint: "must not have an empty prefix", hint: "Write {} to ask for presence." })
    : match,
);

/** The same, where Istio's admission webhook takes every pattern for one. */
export const valueMatch: Decoder<StringMatch> = transform(plainMatch, (match, place, context) => {
  const regex = fieldPlace(place, "regex");
  if (regex?.value.kind === "string" && regex.value.value === "*") {
    reportRefused(regex, context, {
      complaint:
        'is "*", which istiod takes for any value and Istio\'s admission webhook refuses, because it is no RE2',
      hint: "Write {} to ask for presence.",
    });
  }
  return match;
});

type PathMatch = Exclude<StringMatch, { kind: "present" }>;

/** A match on the path, which is always present, so that `{}` asks for nothing. */
export const uriMatch: Decoder<PathMatch | undefined> = transform(anyMatch, (match, place, context) => {
  if (match.kind !== "present") {
    return match;
  }
  const isStar = place.value.kind === "map" && place.value.entries.has("regex");
  return isStar ? reportValue(place, context, 'must not be the regular expression "*", which is none') : undefined;
});

/** An origin that a CORS policy allows; nothing but a value that is there means one. */
export const originMatch: Decoder<Exclude<StringMatch, { kind: "present" }>> = transform(
  anyMatch,
  (match, place, context) =>
    match.kind === "present" || match.value === "" ? reportLack(place, context, "needs exact, prefix or regex") : match,
);

/** Matches by header name. `{}` asks for presence; `null` is refused, because it could mean anything. */
export const headerMatches: Decoder<Readonly<Record<string, StringMatch>>> = mapOf(
  describeAs((place, context) => {
    if (place.value.kind === "null") {
      const hint = "Write {} to ask for presence.";
      return reportValue(place, context, { complaint: "must not be null", hint });
    }
    return checkHeaderName(place, context) === invalid ? invalid : valueMatch(place, context);
  }, valueMatch.shape),
);

/** Headers that must not match; Istio takes `null` for presence here. */
export const withoutHeaderMatches: Decoder<Readonly<Record<string, StringMatch>>> = mapOf(
  describeAs((place, context) => {
    if (checkHeaderName(place, context) === invalid) {
      return invalid;
    }
    return place.value.kind === "null" ? { kind: "present" } : plainMatch(place, context);
  }, plainMatch.shape),
);

export const queryMatches: Decoder<Readonly<Record<string, StringMatch>>> = mapOf(
  describeAs((place, context) => {
    if (place.value.kind === "null") {
      const hint = "Write {} to ask for presence.";
      return reportValue(place, context, { complaint: "must not be null", hint });
    }
    const bytes = new TextEncoder().encode(String(place.key)).length;
    return bytes < 1 || bytes > maximumParameterBytes
      ? reportValue(place, context, `must have a name of 1 to ${maximumParameterBytes} bytes, but has one of ${bytes}`)
      : valueMatch(place, context);
  }, valueMatch.shape),
);

function checkHeaderName(place: Place, context: DecodeContext): undefined | typeof invalid {
  const name = String(place.key);
  if (isClaim(name)) {
    const message = `"${renderPath(place)}" matches a claim of a token, which is not supported: only a RequestAuthentication, which is no networking kind, has tokens checked.`;
    // It keeps `up` from serving, and is kept itself, because whether anybody checks the token is another question.
    report(place, context, { code: "KIR1006", message, hint: "Match a header instead, or remove the match." });
    return undefined;
  }
  return pseudoHeaders.has(name) || isHeaderName(name)
    ? undefined
    : reportValue(place, context, `has the key ${JSON.stringify(name)}, which is no header name`);
}

const pseudoHeaders: ReadonlySet<string> = new Set([":method", ":scheme", ":authority", ":path", ":status"]);

/** True for `@request.auth.claims.name` and `@request.auth.claims[name][name]`, which stand for parts of a token. */
export function isClaim(name: string): boolean {
  return /^@request\.auth\.claims(?:\..+|\[.+\])$/i.test(name);
}

/** A token of RFC 9110 5.1. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}
