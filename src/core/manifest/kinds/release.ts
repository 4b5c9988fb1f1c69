import { list, mapOf, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, type Place, reportConflict, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer, number, string } from "../decode/scalars.ts";
import type { ObjectMeta } from "../manifest.ts";
import type { Approval, Check, Hold, ReleaseRoute, ReleaseSpec, ReleaseStep, ReleaseStrategy } from "../release.ts";

/** With at most two decimals, which is what a proxy's weights are counted in. */
const percent = refine(number, (value) =>
  value >= 0 && value <= 100 && Math.abs(value * 100 - Math.round(value * 100)) < 1e-9
    ? undefined
    : `must be from 0 to 100 with at most two decimals, but is ${value}`,
);

const shares = refine(mapOf(percent), (given) => {
  const sum = Object.values(given).reduce((total, share) => total + Math.round(share * 100), 0);
  if (Object.keys(given).length === 0) return "must name at least one version";
  return sum > 10_000 ? `must add up to at most 100, but adds up to ${sum / 100}` : undefined;
});

/** `weight: 10` is the share of the new version, `weight: {green: 10}` names the versions. */
const weight: Decoder<Readonly<Record<string, number>> | number> = (place, context) =>
  place.value.kind === "number" ? percent(place, context) : shares(place, context);

/** `hold: 10m`, or `hold: {}` until somebody promotes. */
const hold: Decoder<Hold> = (place, context) =>
  place.value.kind === "map"
    ? transform(object({ fields: { duration: optional(durationMs) } }), ({ duration }) => ({ durationMs: duration }))(
        place,
        context,
      )
    : transform(durationMs, (duration) => ({ durationMs: duration }))(place, context);

const people = refine(integer, (count) =>
  count >= 1 && count <= 10 ? undefined : `must be from 1 to 10, but is ${count}`,
);

const approve: Decoder<Approval> = object({
  fields: { people: withDefault(people, 1), question: optional(string) },
});

const requestCount = refine(integer, (count) => (count >= 1 ? undefined : `must be at least 1, but is ${count}`));

const failedCount = refine(integer, (count) => (count >= 0 ? undefined : `must not be negative, but is ${count}`));

const check: Decoder<Check> = transform(
  object({
    fields: {
      duration: required(durationMs),
      minRequests: withDefault(requestCount, 20),
      successRate: optional(object({ fields: { min: required(percent) } })),
      compareWithLive: withDefault(boolean, true),
    },
  }),
  ({ duration, minRequests, successRate, compareWithLive }, place, context) =>
    successRate === undefined && !compareWithLive
      ? reportConflict(place, context, {
          complaint: "judges nothing",
          hint: "Give successRate a min, or leave compareWithLive out.",
        })
      : {
          durationMs: duration,
          minRequests,
          minSuccessPercent: successRate?.min,
          comparesWithLive: compareWithLive,
        },
);

const nothing = object({ fields: {} });

const stepFields = object({
  fields: {
    weight: optional(weight),
    switch: optional(nothing),
    hold: optional(hold),
    approve: optional(approve),
    check: optional(check),
  },
});

const step: Decoder<ReleaseStep> = transform(stepFields, (fields, place, context) => {
  const named = namesIn(place);
  if (named.length !== 1) {
    return reportConflict(place, context, {
      complaint: named.length === 0 ? "says nothing to do" : `says ${named.length} things at once`,
      hint: "Give each step one of weight, switch, hold, approve and check.",
    });
  }
  if (fields.weight !== undefined) return { kind: "weight", shares: fields.weight };
  if (fields.hold !== undefined) return { kind: "hold", ...fields.hold };
  if (fields.check !== undefined) return { kind: "check", ...fields.check };
  return fields.approve === undefined ? { kind: "switch" } : { kind: "approve", ...fields.approve };
});

const rising = refine(nonEmpty(list(percent)), (weights) =>
  weights.every((value, index) => value > (weights[index - 1] ?? 0) && value < 100)
    ? undefined
    : "must rise from above 0 to below 100; everything moves by itself in the end",
);

const strategyFields = object({
  fields: {
    blueGreen: optional(object({ fields: { approve: optional(approve), bake: optional(durationMs) } })),
    canary: optional(
      object({
        fields: {
          weights: required(rising),
          hold: optional(hold),
          check: optional(check),
          approve: optional(approve),
        },
      }),
    ),
    steps: optional(nonEmpty(list(step))),
  },
});

const strategy: Decoder<ReleaseStrategy> = transform(strategyFields, (fields, place, context) => {
  const named = namesIn(place);
  if (named.length !== 1) {
    return reportConflict(place, context, {
      complaint: named.length === 0 ? "names no strategy" : `names ${named.length} strategies`,
      hint: "Give one of blueGreen, canary and steps.",
    });
  }
  const { blueGreen, canary, steps } = fields;
  if (blueGreen !== undefined) return { kind: "blueGreen", approve: blueGreen.approve, bakeMs: blueGreen.bake };
  if (canary !== undefined) return { kind: "canary", ...canary };
  return { kind: "steps", steps: steps ?? [] };
});

/** `null` is the same as absent, as everywhere. */
function namesIn({ value }: Place): readonly string[] {
  return value.kind === "map"
    ? [...value.entries].filter(([, entry]) => entry.value.kind !== "null").map(([name]) => name)
    : [];
}

/** `name` in the namespace of the Release, or `namespace/name`. */
function virtualService(namespace: string): Decoder<Pick<ReleaseRoute, "namespace" | "virtualService">> {
  return transform(string, (text, place, context) => {
    const parts = text.split("/");
    if (parts.length > 2 || parts.includes("")) {
      return reportValue(place, context, `must be a name or namespace/name, but is ${JSON.stringify(text)}`);
    }
    const [name = "", own = namespace] = parts.toReversed();
    return { namespace: own, virtualService: name };
  });
}

/** The spec of a `kirikae.dev/v1alpha1` Release. */
export function decodeRelease({ namespace }: ObjectMeta): Decoder<ReleaseSpec> {
  const route = transform(
    object({ fields: { virtualService: required(virtualService(namespace)), route: optional(string) } }),
    (fields) => ({ ...fields.virtualService, route: fields.route }),
  );
  const routes = transform(nonEmpty(list(route)), (given, place, context) => {
    const keys = given.map((one) => `${one.namespace}/${one.virtualService} ${one.route ?? ""}`);
    const double = keys.find((key, index) => keys.indexOf(key) !== index);
    return double === undefined ? given : reportConflict(place, context, `names ${double.trim()} twice`);
  });
  return transform(
    object({
      fields: {
        routes: required(routes),
        from: optional(string),
        to: required(string),
        strategy: required(strategy),
        maxFailed: optional(failedCount),
      },
    }),
    (spec, place, context) =>
      spec.from === spec.to ? reportConflict(place, context, `goes from ${spec.to} to ${spec.to}`) : spec,
  );
}
