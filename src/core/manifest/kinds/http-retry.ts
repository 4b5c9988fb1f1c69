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

/** Istio splits at commas and takes each token as it stands, so a space makes it another word. */
const retryOn = refine(string, (text) => {
  const unknown = text.split(",").find((token) => text !== "" && !retryConditions.has(token) && !isStatusCode(token));
  return unknown === undefined ? undefined : `has ${JSON.stringify(unknown)}, which is no retry condition`;
});

/** The statuses that have a name. Source: Go `net/http`, StatusText. */
const statusRanges = [
  [100, 103],
  [200, 208],
  [226, 226],
  [300, 305],
  [307, 308],
  [400, 418],
  [421, 426],
  [428, 429],
  [431, 431],
  [451, 451],
  [500, 508],
  [510, 511],
] as const;

function isStatusCode(token: string): boolean {
  const status = /^[1-5][0-9]{2}$/.test(token) ? Number(token) : 0;
  return statusRanges.some(([first, last]) => status >= first && status <= last);
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
      retryRemoteLocalities: optional(boolean),
      retryIgnorePreviousHosts: optional(boolean),
      backoff: optional(durationMs),
    },
  }),
  (fields, place, context) => {
    const hasOthers =
      fields.perTryTimeout !== undefined || (fields.retryOn ?? "") !== "" || fields.retryRemoteLocalities !== undefined;
    if (fields.attempts === 0 && hasOthers) {
      const message = `"${renderPath(place)}" has no attempts, so nothing else may be set in it.`;
      report(place, context, { code: "KIR1014", message, hint: "Set attempts to 1 or more." });
      return invalid;
    }
    return {
      attempts: fields.attempts,
      perTryTimeoutMs: fields.perTryTimeout,
      retryOn: fields.retryOn === "" ? undefined : fields.retryOn,
      retryRemoteLocalities: fields.retryRemoteLocalities ?? false,
      backoffMs: fields.backoff,
      retryIgnorePreviousHosts: fields.retryIgnorePreviousHosts,
    };
  },
);
