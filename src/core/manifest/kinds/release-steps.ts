import { list, mapOf, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, type Place, reportConflict } from "../decode/decoder.ts";
import { object, optional, required } from "../decode/object.ts";
import { durationMs } from "../decode/scalars.ts";
import type { ReleaseStep, ReleaseStrategy } from "../release.ts";
import { check } from "./release-check.ts";
import { approve, hold } from "./release-people.ts";
import { percent } from "./release-percent.ts";

const shares = refine(mapOf(percent), (given) => {
  const sum = Object.values(given).reduce((total, share) => total + Math.round(share * 100), 0);
  if (Object.keys(given).length === 0) return "must name at least one version";
  return sum > 10_000 ? `must add up to at most 100, but adds up to ${sum / 100}` : undefined;
});

/** `weight: 10` is the share of the new version, `weight: {green: 10}` names the versions. */
const weight: Decoder<Readonly<Record<string, number>> | number> = (place, context) =>
  place.value.kind === "number" ? percent(place, context) : shares(place, context);

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

export const strategy: Decoder<ReleaseStrategy> = transform(strategyFields, (fields, place, context) => {
  const named = namesIn(place);
  if (named.length !== 1) {
    return reportConflict(place, context, {
      complaint: named.length === 0 ? "names no strategy" : `names ${named.length} strategies`,
      hint: "Give one of blueGreen, canary and steps.",
    });
  }
  const { blueGreen, canary, steps } = fields;
  if (blueGreen !== undefined) {
    const bake = blueGreen.bake === undefined ? undefined : { durationMs: blueGreen.bake, check: undefined };
    return {
      kind: "blueGreen",
      preview: undefined,
      hold: undefined,
      check: undefined,
      approve: blueGreen.approve,
      bake,
    };
  }
  if (canary !== undefined) return { kind: "canary", ...canary };
  return { kind: "steps", steps: steps ?? [] };
});

/** `null` is the same as absent, as everywhere. */
function namesIn({ value }: Place): readonly string[] {
  return value.kind === "map"
    ? [...value.entries].filter(([, entry]) => entry.value.kind !== "null").map(([name]) => name)
    : [];
}
