import { list, mapOf, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import { type Decoder, describeAs, type Place, reportConflict, reportValue, type Shape } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, string } from "../decode/scalars.ts";
import {
  type AnswerComparison,
  type Bake,
  defaultAffinity,
  type Mirroring,
  type Preview,
  type PreviewMatch,
  type SessionAffinity,
} from "../release.ts";
import type { StringMatch } from "../virtual-service.ts";
import type { YamlEntry } from "../yaml/yaml-value.ts";
import { check } from "./release-check.ts";
import { percent } from "./release-percent.ts";
import { headerMatches, queryMatches, valueMatch } from "./string-match.ts";

/** RFC 9110, section 5.6.2: methods, and names of cookies and headers. */
const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/u;

/** What a preview is called where a release has one preview. */
const defaultPreviewName = "preview";

/** Names that tell its previews apart, and appear in messages and in the names of routes. */
export const previewName = refine(string, (name) =>
  name.trim() !== "" && name.length <= 60 && !/\p{C}/u.test(name)
    ? undefined
    : "must be a name of 1 to 60 characters that can be printed",
);

/** Headers are named in any case; those of the request line are no marks that a tester could set. */
const headers: Decoder<PreviewMatch["headers"]> = transform(shortForms(headerMatches), (matches, place, context) => {
  const pseudo = Object.keys(matches).find((name) => name.startsWith(":"));
  if (pseudo !== undefined) return reportValue(place, context, `must not ask for ${pseudo}, which is no header`);
  return Object.fromEntries(Object.entries(matches).map(([name, match]) => [name.toLowerCase(), match]));
});

const cookies: Decoder<PreviewMatch["cookies"]> = transform(
  shortForms(mapOf(valueMatch)),
  (matches, place, context) => {
    const odd = Object.keys(matches).find((name) => !tokenPattern.test(name));
    return odd === undefined ? matches : reportValue(place, context, `cannot ask for a cookie named "${odd}"`);
  },
);

/** A plain string stands for `{exact: ...}`. */
function shortForms(
  matches: Decoder<Readonly<Record<string, StringMatch>>>,
): Decoder<Readonly<Record<string, StringMatch>>> {
  return describeAs(
    (place, context) => {
      const { value } = place;
      if (value.kind !== "map") return matches(place, context);
      const entries = new Map([...value.entries].map(([name, entry]) => [name, asExact(entry)] as const));
      return matches({ ...place, value: { ...value, entries } }, context);
    },
    { kind: "map", item: { kind: "either", shapes: [string.shape, valueMatch.shape] } },
  );
}

function asExact(entry: YamlEntry): YamlEntry {
  const { keyOffset, value } = entry;
  if (value.kind !== "string") return entry;
  const entries = new Map([["exact", { keyOffset, booleanSource: undefined, value }]]);
  return { ...entry, value: { kind: "map", entries, offset: value.offset, size: 2 } };
}

const previewMatch: Decoder<PreviewMatch> = transform(
  object({
    fields: {
      headers: withDefault(headers, {}),
      cookies: withDefault(cookies, {}),
      queryParams: withDefault(shortForms(queryMatches), {}),
    },
  }),
  (match, place, context) =>
    Object.values(match).every((matches) => Object.keys(matches).length === 0)
      ? reportConflict(place, context, {
          complaint: "asks for nothing, so that every request would match",
          hint: "Give headers, cookies or queryParams, such as {headers: {x-preview: {exact: green}}}.",
        })
      : match,
);

/** Entries are OR-ed, conditions of one entry AND-ed, as in a VirtualService. */
export const previewMatches: Decoder<readonly PreviewMatch[]> = nonEmpty(list(previewMatch));

/** `preview: {name: staff, match: [{headers: {x-staff: {exact: "1"}}}]}`. */
export const preview: Decoder<Preview> = object({
  fields: { name: withDefault(previewName, defaultPreviewName), match: required(previewMatches) },
});

const method = transform(
  refine(string, (name) => (tokenPattern.test(name) ? undefined : `must be a method such as GET, but is "${name}"`)),
  (name) => name.toUpperCase(),
);

const methods = transform(nonEmpty(list(method)), (names) => [...new Set(names)]);

const compare: Decoder<AnswerComparison> = object({
  fields: {
    headers: withDefault(
      transform(strings, (names) => names.map((name) => name.toLowerCase())),
      [],
    ),
    body: withDefault(boolean, false),
    ignoredFields: withDefault(strings, []),
  },
});

/** `mirror: {percent: 20, methods: [GET]}`; requests that change nothing are copied unless others are named. */
export const mirror: Decoder<Mirroring> = object({
  fields: {
    percent: withDefault(percent, 100),
    methods: withDefault(methods, ["GET", "HEAD"]),
    compare: optional(compare),
  },
});

const longBake = transform(
  object({ fields: { duration: required(durationMs), check: optional(check) } }),
  ({ duration, check: judged }): Bake => ({ durationMs: duration, check: judged }),
);

const shortBake = transform(durationMs, (duration): Bake => ({ durationMs: duration, check: undefined }));

/** The same shape, in which the check's duration may be left out. */
function withoutDuration(shape: Shape | undefined): Shape | undefined {
  const judged = shape?.kind === "object" ? shape.fields["check"] : undefined;
  if (shape?.kind !== "object" || judged?.support !== "supported" || judged.shape?.kind !== "object") return shape;
  const { duration, ...others } = judged.shape.fields;
  if (duration?.support !== "supported") return shape;
  const fields = { duration: { ...duration, isRequired: false }, ...others };
  return { ...shape, fields: { ...shape.fields, check: { ...judged, shape: { ...judged.shape, fields } } } };
}

/** `bake: 10m`, or `bake: {duration: 10m, check: {...}}`. */
export const bake: Decoder<Bake> = describeAs(
  (place, context) =>
    place.value.kind === "map" ? longBake(withCheckDuration(place), context) : shortBake(place, context),
  { kind: "either", shapes: [durationMs.shape, withoutDuration(longBake.shape)] },
);

/** The check of a bake lasts as long as the bake, so that nobody has to write that twice. */
function withCheckDuration(place: Place): Place {
  const { value } = place;
  if (value.kind !== "map") return place;
  const duration = value.entries.get("duration");
  const judged = value.entries.get("check");
  if (duration === undefined || judged?.value.kind !== "map" || judged.value.entries.has("duration")) return place;
  const inner = { ...judged.value, entries: new Map([...judged.value.entries, ["duration", duration]]) };
  const entries = new Map([...value.entries, ["check", { ...judged, value: inner }]]);
  return { ...place, value: { ...value, entries } };
}

const cookieName = refine(string, (name) =>
  tokenPattern.test(name) ? undefined : `must be the name of a cookie, but is "${name}"`,
);

/** `sessionAffinity: {}`, or with a cookie of another name or age. */
export const sessionAffinity: Decoder<SessionAffinity> = transform(
  object({
    fields: {
      cookie: withDefault(cookieName, defaultAffinity.cookie),
      maxAge: withDefault(durationMs, defaultAffinity.maxAgeMs),
    },
  }),
  ({ cookie, maxAge }) => ({ cookie, maxAgeMs: maxAge }),
);
