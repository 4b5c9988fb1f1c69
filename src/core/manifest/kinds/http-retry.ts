import { refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, renderPath, report } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer, string } from "../decode/scalars.ts";
import type { HttpRetry } from "../virtual-service.ts";

/** Conditions of Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`. */
const retryConditions: ReadonlySet<string> = new Set([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "envoy-ratelimited",
  "http3-post-connect-failure",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

const retryOn = refine(string, (text) => {
  const unknown = text
    .split(",")
    .map((token) => token.trim())
    .find((token) => !retryConditions.has(token) && !isStatusCode(token) && token !== "");
  return unknown === undefined ? undefined : `has ${JSON.stringify(unknown)}, which is no retry condition`;
});

function isStatusCode(token: string): boolean {
  return /^[1-5][0-9]{2}$/.test(token);
}

const attempts = refine(integer, (value) =>
  value < 0 || value > 2_147_483_647 ? `must be from 0 to 2147483647, but is ${value}` : undefined,
);

/** `retries`: 0 attempts switch retries off, and then nothing else may be set. */
export const decodeRetries: Decoder<HttpRetry> = transform(
  object({
    fields: {
      attempts: withDefault(attempts, 0),
      perTryTimeout: optional(durationMs),
      retryOn: optional(retryOn),
      retryRemoteLocalities: withDefault(boolean, false),
      retryIgnorePreviousHosts: optional(boolean),
      backoff: optional(durationMs),
    },
  }),
  (fields, place, context) => {
    const hasOthers =
      fields.perTryTimeout !== undefined || fields.retryOn !== undefined || fields.retryRemoteLocalities;
    if (fields.attempts === 0 && hasOthers) {
      const message = `"${renderPath(place)}" has no attempts, so nothing else may be set in it.`;
      report(place, context, { code: "KIR1014", message, hint: "Set attempts to 1 or more." });
      return invalid;
    }
    return {
      attempts: fields.attempts,
      perTryTimeoutMs: fields.perTryTimeout,
      retryOn: fields.retryOn === "" ? undefined : fields.retryOn,
      retryRemoteLocalities: fields.retryRemoteLocalities,
      backoffMs: fields.backoff,
      retryIgnorePreviousHosts: fields.retryIgnorePreviousHosts,
    };
  },
);
