import { refine, transform } from "../decode/collections.ts";
import type { Decoder } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, durationMs, integer, string } from "../decode/scalars.ts";
import type { Approval, Hold } from "../release.ts";

/** `hold: 10m`, or `hold: {}` until somebody promotes. */
export const hold: Decoder<Hold> = (place, context) =>
  place.value.kind === "map"
    ? transform(object({ fields: { duration: optional(durationMs) } }), ({ duration }) => ({ durationMs: duration }))(
        place,
        context,
      )
    : transform(durationMs, (duration) => ({ durationMs: duration }))(place, context);

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
