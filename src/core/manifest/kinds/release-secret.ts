import { transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  reportConflict,
  reportValue,
  describeAs,
} from "../decode/decoder.ts";
import { object, optional } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { SecretSource } from "../release.ts";

const source = object({ fields: { fromFile: optional(string), fromEnvironment: optional(string) } });

/** `{fromFile: PATH}` or `{fromEnvironment: NAME}`. What else is written there may be the secret itself, so it is never quoted. */
export const secretSource: Decoder<SecretSource> = describeAs(
  (place, context) =>
    place.value.kind === "map"
      ? named(place, context)
      : reportValue(
          place,
          { ...context, hidesValues: true },
          {
            complaint: "must say where the secret is, and never be the secret itself",
            hint: "Write {fromFile: PATH} or {fromEnvironment: NAME}; `up` reads it when it is needed.",
          },
        ),
  source.shape,
);

const named: Decoder<SecretSource> = transform(source, ({ fromFile, fromEnvironment }, place, context) => {
  if (fromFile !== undefined && fromEnvironment === undefined) {
    return fromFile === "" ? reportValue(place, context, "names no file") : { kind: "file", path: fromFile };
  }
  if (fromEnvironment !== undefined && fromFile === undefined) return variable(fromEnvironment, place, context);
  return reportConflict(place, context, {
    complaint: fromFile === undefined ? "says nowhere to read from" : "says two places to read from",
    hint: "Give one of fromFile and fromEnvironment.",
  });
});

function variable(name: string, place: Place, context: DecodeContext): SecretSource | ReturnType<typeof reportValue> {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)
    ? { kind: "environment", name }
    : reportValue(place, context, {
        complaint: "must name a variable of letters, digits and _",
        hint: "Write the variable's name, not its value and no $.",
      });
}
