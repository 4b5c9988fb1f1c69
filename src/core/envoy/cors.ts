import type { CorsPolicySchema } from "../../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import type { CorsPolicy } from "../routes/route-table.ts";
import type { Init } from "./init.ts";
import { emitStringMatch } from "./matches.ts";

/** Emits which pages of other origins may read a route's answers; a header without a value is left out of the answer. */
export function emitCors(policy: CorsPolicy): Init<typeof CorsPolicySchema> {
  const { maxAgeSeconds, allowCredentials } = policy;
  return {
    allowOriginStringMatch: policy.allowOrigins.map(emitStringMatch),
    allowMethods: policy.allowMethods.join(","),
    allowHeaders: policy.allowHeaders.join(","),
    exposeHeaders: policy.exposeHeaders.join(","),
    maxAge: maxAgeSeconds === undefined ? "" : String(maxAgeSeconds),
    ...(allowCredentials === undefined ? {} : { allowCredentials }),
    forwardNotMatchingPreflights: policy.forwardsUnmatchedPreflights,
  };
}
