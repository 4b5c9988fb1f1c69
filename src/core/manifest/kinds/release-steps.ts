import { list, mapOf, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, describeAs, type Place, reportConflict } from "../decode/decoder.ts";
import { object, optional } from "../decode/object.ts";
import type { ReleaseStep, ReleaseStrategy } from "../release.ts";
import { bake, mirror, preview } from "./release-additions.ts";
import { check } from "./release-check.ts";
import { approve, hold } from "./release-people.ts";
import { percent } from "./release-percent.ts";
import { choosePreset, presets } from "./release-presets.ts";

const shares = refine(mapOf(percent), (given) => {
  const sum = Object.values(given).reduce((total, share) => total + Math.round(share * 100), 0);
  if (Object.keys(given).length === 0) return "must name at least one version";
  return sum > 10_000 ? `must add up to at most 100, but adds up to ${sum / 100}` : undefined;
});

/** `weight: 10` is the share of the new version, `weight: {green: 10}` names the versions. */
const weight: Decoder<Readonly<Record<string, number>> | number> = describeAs(
  (place, context) => (place.value.kind === "number" ? percent(place, context) : shares(place, context)),
  { kind: "either", shapes: [percent.shape, shares.shape] },
);

const nothing = object({ fields: {} });

const stepFields = object({
  fields: {
    preview: optional(preview),
    mirror: optional(mirror),
    weight: optional(weight),
    switch: optional(nothing),
    hold: optional(hold),
    approve: optional(approve),
    check: optional(check),
    bake: optional(bake),
    finish: optional(nothing),
  },
});

const step: Decoder<ReleaseStep> = transform(stepFields, (fields, place, context) => {
  const named = namesIn(place);
  if (named.length !== 1) {
    return reportConflict(place, context, {
      complaint: named.length === 0 ? "says nothing to do" : `says ${named.length} things at once`,
      hint: "Give each step one of preview, mirror, weight, switch, hold, approve, check, bake and finish.",
    });
  }
  if (fields.preview !== undefined) return { kind: "preview", ...fields.preview };
  if (fields.mirror !== undefined) return { kind: "mirror", ...fields.mirror };
  if (fields.weight !== undefined) return { kind: "weight", shares: fields.weight };
  if (fields.hold !== undefined) return { kind: "hold", ...fields.hold };
  if (fields.approve !== undefined) return { kind: "approve", ...fields.approve };
  if (fields.check !== undefined) return { kind: "check", ...fields.check };
  if (fields.bake !== undefined) return { kind: "bake", ...fields.bake };
  return fields.finish === undefined ? { kind: "switch" } : { kind: "finish" };
});

/** A preset, or the steps themselves. */
export const strategy: Decoder<ReleaseStrategy> = transform(
  object({ fields: { ...presets, steps: optional(nonEmpty(list(step))) } }),
  ({ steps, ...chosen }, place, context) => {
    const named = namesIn(place);
    if (named.length !== 1) {
      return reportConflict(place, context, {
        complaint: named.length === 0 ? "names no strategy" : `names ${named.length} strategies`,
        hint: `Give one of ${Object.keys(presets).join(", ")} and steps.`,
      });
    }
    return steps === undefined ? choosePreset(chosen) : { kind: "steps", steps };
  },
);

/** `null` is the same as absent, as everywhere. */
function namesIn({ value }: Place): readonly string[] {
  return value.kind === "map"
    ? [...value.entries].filter(([, entry]) => entry.value.kind !== "null").map(([name]) => name)
    : [];
}
