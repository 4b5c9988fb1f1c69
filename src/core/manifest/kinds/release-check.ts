import { list, nonEmpty, refine, transform } from "../decode/collections.ts";
import {
  childPlace,
  type DecodeContext,
  type Decoder,
  type Invalid,
  invalid,
  type Place,
  reportConflict,
  reportValue,
  describeAs,
} from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, durationOrZeroMs, integer, number } from "../decode/scalars.ts";
import type { Check, LatencyLimit } from "../release.ts";
import { judges } from "./release-judges.ts";
import { percent } from "./release-percent.ts";

const requestCount = refine(integer, (count) => (count >= 1 ? undefined : `must be at least 1, but is ${count}`));
const notNegative = refine(integer, (count) => (count >= 0 ? undefined : `must not be negative, but is ${count}`));

/** Beyond three decimals it would take millions of answers for one to be as slow. */
const percentile = refine(number, (value) =>
  value > 0 && value <= 99.999 ? undefined : `must be above 0 and at most 99.999, but is ${value}`,
);

const times = refine(number, (value) => (value > 0 ? undefined : `must be above 0, but is ${value}`));

const limit: Decoder<LatencyLimit> = transform(
  object({ fields: { percentile: required(percentile), max: optional(durationMs), timesLive: optional(times) } }),
  ({ percentile: which, max, timesLive }, place, context) =>
    max === undefined && timesLive === undefined
      ? reportConflict(place, context, { complaint: "sets no limit", hint: "Give max: 300ms or timesLive: 1.5." })
      : { percentile: which, maxMs: max, maxTimesLive: timesLive },
);

/** A list of limits, or `{p99: 300ms}` where each is a time. */
const limits = nonEmpty(list(limit));
const latency: Decoder<readonly LatencyLimit[]> = describeAs(
  (place, context) => (place.value.kind === "map" ? shortLimits(place, context) : limits(place, context)),
  { kind: "either", shapes: [{ kind: "map", item: durationMs.shape }, limits.shape] },
);

function shortLimits(place: Place, context: DecodeContext): readonly LatencyLimit[] | Invalid {
  const found: LatencyLimit[] = [];
  if (place.value.kind !== "map") return invalid;
  for (const [key, { value }] of place.value.entries) {
    const child = childPlace(place, key, value);
    const which = Number(/^p(\d{1,2}(?:\.\d{1,3})?)$/u.exec(key)?.[1] ?? Number.NaN);
    if (!(which > 0)) {
      return reportValue(child, context, {
        complaint: "is not named after a percentile",
        hint: "Write {p99: 300ms}, or a list of {percentile: 99, max: 300ms, timesLive: 1.5}.",
      });
    }
    const maxMs = durationMs(child, context);
    if (maxMs === invalid) return invalid;
    found.push({ percentile: which, maxMs, maxTimesLive: undefined });
  }
  return found.length > 0 ? found : reportValue(place, context, "must not be empty");
}

export const check: Decoder<Check> = transform(
  object({
    fields: {
      duration: required(durationMs),
      initialDelay: withDefault(durationOrZeroMs, 0),
      minRequests: withDefault(requestCount, 20),
      successRate: optional(object({ fields: { min: required(percent) } })),
      compareWithLive: withDefault(boolean, true),
      latency: withDefault(latency, []),
      ejections: optional(object({ fields: { max: required(notNegative) } })),
      differences: optional(object({ fields: { max: required(percent) } })),
      judges: withDefault(judges, []),
      dryRun: withDefault(boolean, false),
    },
  }),
  (fields, place, context) => {
    const decoded: Check = {
      durationMs: fields.duration,
      initialDelayMs: fields.initialDelay,
      minRequests: fields.minRequests,
      minSuccessPercent: fields.successRate?.min,
      comparesWithLive: fields.compareWithLive,
      latency: fields.latency,
      maxEjections: fields.ejections?.max,
      maxDifferentPercent: fields.differences?.max,
      judges: fields.judges,
      isDryRun: fields.dryRun,
    };
    if (judgesSomething(decoded)) return decoded;
    return reportConflict(place, context, {
      complaint: "judges nothing",
      hint: "Give successRate, latency, ejections, differences or judges, or leave compareWithLive out.",
    });
  },
);

function judgesSomething(check: Check): boolean {
  const { minSuccessPercent, comparesWithLive, latency, maxEjections, maxDifferentPercent, judges } = check;
  const limits = [minSuccessPercent, maxEjections, maxDifferentPercent];
  return comparesWithLive || limits.some((each) => each !== undefined) || latency.length + judges.length > 0;
}
