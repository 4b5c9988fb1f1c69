import { list, refine, transform } from "../decode/collections.ts";
import { type Decoder, renderPath, report, reportValue } from "../decode/decoder.ts";
import { fieldPlace, ignored, object, optional, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer } from "../decode/scalars.ts";
import type { OutlierDetection } from "../destination-rule.ts";

const count = refine(integer, (value) =>
  value < 0 || value > 4_294_967_295 ? `must be 0 or more, but is ${value}` : undefined,
);

const percent = refine(integer, (value) =>
  value < 0 || value > 100 ? `must be a percentage from 0 to 100, but is ${value}` : undefined,
);

const errorCode = refine(integer, (value) =>
  value < 100 || value > 599 ? `must be a status from 100 to 599, but is ${value}` : undefined,
);

/** `outlierDetection`. Source of the rules: Istio `pkg/config/validation/validation.go`, validateOutlierDetection. */
export const decodeOutlierDetection: Decoder<OutlierDetection> = transform(
  object({
    fields: {
      consecutiveErrors: optional(count),
      consecutive5xxErrors: optional(count),
      consecutiveGatewayErrors: optional(count),
      consecutiveLocalOriginFailures: optional(count),
      splitExternalLocalOriginErrors: withDefault(boolean, false),
      interval: optional(durationMs),
      baseEjectionTime: optional(durationMs),
      maxEjectionPercent: optional(percent),
      minHealthPercent: optional(percent),
      outlierDetectionHttpErrorCodes: ignored(
        withDefault(list(errorCode), []),
        "statuses of 500 and above count as errors",
      ),
    },
  }),
  (fields, place, context) => {
    const { consecutiveErrors, interval, baseEjectionTime, outlierDetectionHttpErrorCodes: codes, ...others } = fields;
    if (consecutiveErrors !== undefined && consecutiveErrors !== 0) {
      const at = fieldPlace(place, "consecutiveErrors") ?? place;
      const message = `"${renderPath(at)}" is deprecated and has no effect.`;
      report(at, context, { code: "KIR1013", message, hint: "Write consecutive5xxErrors instead." });
    }
    if ((others.consecutiveLocalOriginFailures ?? 0) > 0 && !others.splitExternalLocalOriginErrors) {
      reportValue(place, context, {
        complaint: "has consecutiveLocalOriginFailures, which needs splitExternalLocalOriginErrors",
        hint: "Set splitExternalLocalOriginErrors to true.",
      });
    }
    return { ...others, intervalMs: interval, baseEjectionTimeMs: baseEjectionTime, httpErrorCodes: codes };
  },
);
