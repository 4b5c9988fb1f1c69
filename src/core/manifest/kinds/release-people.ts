import { refine, transform } from "../decode/collections.ts";
import { type Decoder, describeAs } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer, string } from "../decode/scalars.ts";
import type { Approval, Hold } from "../release.ts";

const longHold: Decoder<Hold> = transform(object({ fields: { duration: optional(durationMs) } }), ({ duration }) => ({
  durationMs: duration,
}));
const shortHold: Decoder<Hold> = transform(durationMs, (duration) => ({ durationMs: duration }));

/** `hold: 10m`, or `hold: {}` until somebody promotes. */
export const hold: Decoder<Hold> = describeAs(
  (place, context) => (place.value.kind === "map" ? longHold : shortHold)(place, context),
  { kind: "either", shapes: [durationMs.shape, longHold.shape] },
);

const people = refine(integer, (count) =>
  count >= 1 && count <= 10 ? undefined : `must be from 1 to 10, but is ${count}`,
);

export const approve: Decoder<Approval> = transform(
  object({
    fields: {
      people: withDefault(people, 1),
      question: optional(string),
      expires: optional(durationMs),
      starterMayApprove: withDefault(boolean, true),
    },
  }),
  ({ expires, starterMayApprove, ...asked }) => ({
    ...asked,
    expiresMs: expires,
    letsStarterApprove: starterMayApprove,
  }),
);
