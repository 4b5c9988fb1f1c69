import { list, mapOf, refine, strings, transform } from "../decode/collections.ts";
import type { Decoder } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, integer, string } from "../decode/scalars.ts";
import type { LocalityLoadBalancing } from "../destination-rule.ts";

const share = refine(integer, (value) =>
  value >= 1 && value <= 100 ? undefined : `must be a percentage from 1 to 100, but is ${value}`,
);

const decodeDistribute = object({ fields: { from: required(string), to: required(mapOf(share)) } });

const decodeFailover = object({ fields: { from: required(string), to: required(string) } });

/** `localityLbSetting`. Source of the rules: Istio `pkg/config/validation/agent/validation.go`, ValidateLocalityLbSetting. */
export const decodeLocality: Decoder<LocalityLoadBalancing> = transform(
  object({
    fields: {
      enabled: optional(boolean),
      distribute: withDefault(list(decodeDistribute), []),
      failover: withDefault(list(decodeFailover), []),
      failoverPriority: withDefault(strings, []),
    },
  }),
  (setting) => setting,
);
