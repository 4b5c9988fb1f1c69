import { list, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, reportConflict } from "../decode/decoder.ts";
import { type Field, object, optional, required } from "../decode/object.ts";
import type { Cohort, ReleaseStrategy } from "../release.ts";
import { bake, mirror, preview, previewMatches, previewName } from "./release-additions.ts";
import { check } from "./release-check.ts";
import { approve, hold } from "./release-people.ts";
import { percent } from "./release-percent.ts";

/** What every preset waits for after its stages, and before everything moves. */
const gates = { hold: optional(hold), check: optional(check), approve: optional(approve) };

/** Percentages of the new version; a stage of nothing or of everything is none. */
const share = refine(percent, (value) =>
  value > 0 && value < 100 ? undefined : "must be above 0 and below 100; everything moves by itself in the end",
);

const rising = refine(nonEmpty(list(percent)), (weights) =>
  isRising(weights) ? undefined : "must rise from above 0 to below 100; everything moves by itself in the end",
);

function isRising(weights: readonly number[]): boolean {
  return weights.every((value, index) => value > (weights[index - 1] ?? 0) && value < 100);
}

const cohort: Decoder<Cohort> = transform(
  object({ fields: { name: required(previewName), match: optional(previewMatches), weight: optional(share) } }),
  ({ name, match, weight }, place, context): Cohort | ReturnType<typeof reportConflict> => {
    if (match !== undefined && weight === undefined) return { name, kind: "match", preview: { name, match } };
    if (weight !== undefined && match === undefined) return { name, kind: "weight", percent: weight };
    return reportConflict(place, context, {
      complaint: match === undefined ? "says nothing of who is in it" : "has both a match and a weight",
      hint: "Give each cohort either match, for those who can be told by a mark, or weight, for a share of everybody.",
    });
  },
);

const ladder: Decoder<readonly Cohort[]> = transform(nonEmpty(list(cohort)), (cohorts, place, context) => {
  const names = cohorts.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) return reportConflict(place, context, `has two cohorts named ${double}`);
  const weights = cohorts.flatMap((each) => (each.kind === "weight" ? [each.percent] : []));
  return isRising(weights) ? cohorts : reportConflict(place, context, "has weights that do not rise");
});

const longCohorts = object({ fields: { cohorts: required(ladder), ...gates } });

/** The ladder alone, or `{cohorts: [...]}` with what is waited for at each of its steps. */
const cohorts: typeof longCohorts = Object.assign(
  (...[place, context]: Parameters<typeof longCohorts>) =>
    place.value.kind === "list"
      ? transform(ladder, (given) => ({ cohorts: given, hold: undefined, check: undefined, approve: undefined }))(
          place,
          context,
        )
      : longCohorts(place, context),
  { shape: { kind: "either", shapes: [ladder.shape, longCohorts.shape] } as const },
);

const mirrorFirst = transform(
  object({ fields: { mirror: required(mirror), weights: required(rising), ...gates } }),
  (given, place, context) =>
    given.check?.maxDifferentPercent !== undefined && given.mirror.compare === undefined
      ? reportConflict(place, context, {
          complaint: "checks the differences of answers that are not compared",
          hint: "Say in mirror.compare what is compared, such as {body: true}, or {} for the status alone.",
        })
      : given,
);

/** The presets by their names, each of which stands for steps; see `expandStrategy`. */
export const presets = {
  blueGreen: optional(object({ fields: { preview: optional(preview), bake: optional(bake), ...gates } })),
  canary: optional(object({ fields: { weights: required(rising), ...gates } })),
  abTest: optional(object({ fields: { preview: required(preview), ...gates } })),
  mirrorFirst: optional(mirrorFirst),
  cohorts: optional(cohorts),
};

type Presets = { readonly [Name in keyof typeof presets]: (typeof presets)[Name] extends Field<infer T> ? T : never };

/** The one that is given; a strategy without any has been refused before. */
export function choosePreset(given: Presets): ReleaseStrategy {
  const { blueGreen, canary, abTest, mirrorFirst, cohorts: ladderOfCohorts } = given;
  if (blueGreen !== undefined) return { kind: "blueGreen", ...blueGreen };
  if (canary !== undefined) return { kind: "canary", ...canary };
  if (abTest !== undefined) return { kind: "abTest", ...abTest };
  if (mirrorFirst !== undefined) return { kind: "mirrorFirst", ...mirrorFirst };
  if (ladderOfCohorts !== undefined) return { kind: "cohorts", ...ladderOfCohorts };
  return { kind: "steps", steps: [] };
}
