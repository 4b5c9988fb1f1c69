import { refine, transform } from "../decode/collections.ts";
import { type Decoder, reportConflict } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer } from "../decode/scalars.ts";
import type { Check } from "../release.ts";
import { percent } from "./release-percent.ts";

const requestCount = refine(integer, (count) => (count >= 1 ? undefined : `must be at least 1, but is ${count}`));

export const check: Decoder<Check> = transform(
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
          initialDelayMs: 0,
          minRequests,
          minSuccessPercent: successRate?.min,
          comparesWithLive: compareWithLive,
          latency: [],
          maxEjections: undefined,
          maxDifferentPercent: undefined,
          judges: [],
          isDryRun: false,
        },
);
