import { parseCron } from "../../calendar/cron.ts";
import { findTimeZone } from "../../calendar/time-zone.ts";
import { longestGapMs } from "../../calendar/windows.ts";
import { renderDuration } from "../../diagnostics/render-duration.ts";
import { transform } from "../decode/collections.ts";
import { type Decoder, reportConflict, reportValue, describeAs } from "../decode/decoder.ts";
import { didYouMean } from "../decode/nearest-name.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { durationMs, oneOf, string } from "../decode/scalars.ts";
import type { Freeze, MaxDuration } from "../release.ts";

const cron: Decoder<string> = transform(string, (text, place, context) => {
  const parsed = parseCron(text);
  if (parsed.kind === "wrong") return reportValue(place, context, { complaint: parsed.complaint, hint: parsed.hint });
  return longestGapMs(parsed.cron) === undefined ? reportValue(place, context, "is a day that never comes") : text;
});

const timeZone: Decoder<string> = transform(string, (name, place, context) =>
  findTimeZone(name) === undefined
    ? reportValue(place, context, {
        complaint: `is ${JSON.stringify(name)}, which is no time zone`,
        hint: () => didYouMean(name, Intl.supportedValuesOf("timeZone")) ?? "Write a name such as Asia/Tokyo.",
      })
    : name,
);

/** Longer than any that is meant. */
const longestMs = 366 * 86_400_000;

/** `{cron: "0 17 * * 5", duration: 63h, timeZone: Asia/Tokyo, reason: weekend}`. */
export const freeze: Decoder<Freeze> = transform(
  object({
    fields: {
      cron: required(cron),
      duration: required(durationMs),
      timeZone: withDefault(timeZone, "UTC"),
      reason: optional(string),
    },
  }),
  (fields, place, context) => {
    const { duration, ...given } = fields;
    if (duration > longestMs) return reportConflict(place, context, "lasts longer than a year");
    const parsed = parseCron(fields.cron);
    const gapMs = parsed.kind === "cron" ? longestGapMs(parsed.cron) : undefined;
    if (gapMs !== undefined && gapMs <= duration) {
      return reportConflict(place, context, {
        complaint: "never ends: the next time has come before it is over",
        hint: `Its times are at most ${renderDuration(gapMs)} apart; make it shorter than that.`,
      });
    }
    return { ...given, durationMs: duration };
  },
);

const limitFields = object({
  // oxlint-disable-next-line unicorn/no-thenable -- it is the decoder of a field, and nobody awaits it.
  fields: { duration: required(durationMs), then: withDefault(oneOf(["rollback", "pause"]), "rollback") },
});

const longLimit = transform(limitFields, ({ duration, then: action }): MaxDuration => ({
  durationMs: duration,
  action,
}));
const shortLimit = transform(durationMs, (duration): MaxDuration => ({ durationMs: duration, action: "rollback" }));

/** `maxDuration: 6h` takes the release back then, `{duration: 6h, then: pause}` stops it. */
export const maxDuration: Decoder<MaxDuration> = describeAs(
  (place, context) => (place.value.kind === "map" ? longLimit : shortLimit)(place, context),
  { kind: "either", shapes: [durationMs.shape, limitFields.shape] },
);
