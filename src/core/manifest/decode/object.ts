import type { YamlMap } from "../yaml/yaml-value.ts";
import {
  childPlace,
  type DecodeContext,
  type Decoder,
  describeAs,
  type FieldShape,
  type Invalid,
  invalid,
  type ObjectShape,
  type Place,
  renderPath,
  report,
  type ValueException,
} from "./decoder.ts";
import { didYouMean, listNames, nearestName } from "./nearest-name.ts";
import { wrongType } from "./scalars.ts";

/** How one field of an object is read, and what its absence means. */
export interface Field<T> {
  readonly decode: Decoder<T>;
  readonly absent: { readonly kind: "required" } | { readonly kind: "fallback"; readonly value: T };
  /** Set where the field is read, and what is wrong with it is told, although it has no effect here. */
  readonly exception?: ValueException;
  /** Set where a finding that knows more of the surroundings tells of the exception. */
  readonly isToldElsewhere?: true;
}

export function required<T>(decode: Decoder<T>): Field<T> {
  return { decode, absent: { kind: "required" } };
}

export function optional<T>(decode: Decoder<T>): Field<T | undefined> {
  return { decode, absent: { kind: "fallback", value: undefined } };
}

export function withDefault<T>(decode: Decoder<T>, value: T): Field<T> {
  return { decode, absent: { kind: "fallback", value } };
}

/** A field that is judged and that has no effect in the local mesh: a warning, KIR1007, that ends with the reason. */
export function ignored<T>(field: Field<T>, reason: string): Field<T> {
  return { ...field, exception: { support: "ignored", reason } };
}

/** As `ignored`, without the warning: whether it is worth one shows only beside other objects. */
export function passedOver<T>(field: Field<T>, reason: string): Field<T> {
  return { ...ignored(field, reason), isToldElsewhere: true };
}

/** A field that is judged and that kirikae cannot carry out, and must not ignore: an error, KIR1006. */
export function rejected<T>(field: Field<T>, reason: string): Field<T> {
  return { ...field, exception: { support: "rejected", reason } };
}

// oxlint-disable-next-line typescript/no-explicit-any -- any lets every Field<T> be listed, whatever its T.
type Fields = Readonly<Record<string, Field<any>>>;

type Decoded<F extends Fields> = { readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

export interface ObjectFields<F extends Fields> {
  readonly fields: F;
  /** Istio's fields that would change what happens, and that kirikae does not carry out: an error, KIR1006. */
  readonly unsupported?: Readonly<Record<string, string>>;
  /** Istio's fields without an effect in the local mesh: a warning, KIR1007, that ends with this reason. */
  readonly unserved?: Readonly<Record<string, string>>;
  /** Fields that are known and another program's affair. */
  readonly foreign?: readonly string[];
  /** Large Kubernetes kinds are read in part only, so unknown fields say nothing about a mistake. */
  readonly others?: "reject" | "ignore";
}

/** An object with known fields. `null` is the same as absent, as in protobuf JSON. */
export function object<F extends Fields>(shape: ObjectFields<F>): Decoder<Decoded<F>> {
  const fields = Object.entries(shape.fields);
  const known = [
    ...Object.keys(shape.fields),
    ...Object.keys(shape.unsupported ?? {}),
    ...Object.keys(shape.unserved ?? {}),
    ...(shape.foreign ?? []),
  ];
  const decode = (place: Place, context: DecodeContext): Decoded<F> | Invalid => {
    const { value } = place;
    if (value.kind !== "map") {
      return wrongType("a mapping", place, context);
    }
    if (shape.others !== "ignore") {
      reportOtherFields(shape, known, { place, value, context });
    }
    const decoded: Record<string, unknown> = {};
    let isInvalid = false;
    for (const [name, field] of fields) {
      const result = decodeField(field, childOf(place, value, name), context);
      if (result === invalid) {
        isInvalid = true;
      } else if (result === absent) {
        isInvalid = true;
        if (!isMisspelt(name, value, known)) reportMissing(name, place, context);
      } else {
        decoded[name] = result;
      }
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each field was decoded by its own decoder.
    return isInvalid ? invalid : (decoded as Decoded<F>);
  };
  return describeAs(decode, describeFields(shape));
}

function describeFields<F extends Fields>(shape: ObjectFields<F>): ObjectShape {
  const fields: [string, FieldShape][] = Object.entries(shape.fields).map(([name, field]) => [
    name,
    describeField(field),
  ]);
  for (const [name, reason] of Object.entries(shape.unsupported ?? {})) {
    fields.push([name, { support: "rejected", reason, shape: undefined }]);
  }
  for (const [name, reason] of Object.entries(shape.unserved ?? {})) {
    fields.push([name, { support: "ignored", reason, shape: undefined }]);
  }
  return {
    kind: "object",
    fields: Object.fromEntries(fields),
    isOpen: shape.others === "ignore" || shape.foreign !== undefined,
  };
}

function describeField({ decode, absent: ifAbsent, exception }: Field<unknown>): FieldShape {
  return exception === undefined
    ? { support: "supported", isRequired: ifAbsent.kind === "required", shape: decode.shape }
    : { ...exception, shape: decode.shape };
}

const absent: unique symbol = Symbol("absent");

function decodeField<T>(
  field: Field<T>,
  place: Place | undefined,
  context: DecodeContext,
): T | typeof invalid | typeof absent {
  if (place !== undefined) {
    return field.decode(place, context);
  }
  return field.absent.kind === "required" ? absent : field.absent.value;
}

function childOf(place: Place, value: YamlMap, name: string): Place | undefined {
  const entry = value.entries.get(name);
  return entry === undefined || entry.value.kind === "null" ? undefined : childPlace(place, name, entry.value);
}

/** The child of a mapping, for checks over several fields; undefined when it is absent or null. */
export function fieldPlace(place: Place, name: string): Place | undefined {
  return place.value.kind === "map" ? childOf(place, place.value, name) : undefined;
}

/** Says that a required field is absent. */
export function reportMissing(name: string, place: Place, context: DecodeContext): void {
  const path = place.parent === undefined ? name : `${renderPath(place)}.${name}`;
  report(place, context, { code: "KIR1010", message: `"${path}" is missing.` });
}

interface MapPlace {
  readonly place: Place;
  readonly value: YamlMap;
  readonly context: DecodeContext;
}

function reportOtherFields<F extends Fields>(shape: ObjectFields<F>, known: readonly string[], at: MapPlace): void {
  const { place, value, context } = at;
  for (const [name, entry] of value.entries) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    const isEmpty = entry.value.kind === "null" && known.includes(name);
    const isForeign = shape.foreign?.includes(name) === true;
    if (isEmpty || isForeign || (field !== undefined && (field.exception === undefined || field.isToldElsewhere))) {
      continue;
    }
    const child = childPlace(place, name, entry.value);
    const path = renderPath(child);
    const offset = entry.keyOffset;
    const { unserved, unsupported } = reasonsFor(name, shape);
    if (unserved !== undefined) {
      report(child, context, { code: "KIR1007", message: `"${path}" is not served locally: ${unserved}.`, offset });
    } else if (unsupported !== undefined) {
      const message = `"${path}" is not supported: ${unsupported}.`;
      report(child, context, { code: "KIR1006", message, hint: "Remove it, or route this host elsewhere.", offset });
    } else {
      const written = entry.booleanSource ?? name;
      const message =
        context.hidesValues === true
          ? `A field here is none that ${context.kind} has.`
          : `"${path}" is not a field that ${context.kind} has.`;
      context.misspelt.add(value);
      report(child, context, { code: "KIR1004", message, hint: () => unknownHint(written, known), offset });
    }
  }
}

interface Reasons {
  readonly unserved: string | undefined;
  readonly unsupported: string | undefined;
}

function reasonsFor<F extends Fields>(name: string, shape: ObjectFields<F>): Reasons {
  const exception: ValueException | undefined = Object.hasOwn(shape.fields, name)
    ? shape.fields[name]?.exception
    : undefined;
  return {
    unserved: exception?.support === "ignored" ? exception.reason : reasonIn(shape.unserved, name),
    unsupported: exception?.support === "rejected" ? exception.reason : reasonIn(shape.unsupported, name),
  };
}

function reasonIn(reasons: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return reasons !== undefined && Object.hasOwn(reasons, name) ? reasons[name] : undefined;
}

/** How many unknown fields are looked at for a missing one, so that thousands of them cost little. */
const comparedFields = 20;

/** Whether one of the unknown fields was probably meant to be this one: that finding says it already. */
export function isMisspelt(name: string, value: YamlMap, known: readonly string[]): boolean {
  const unknown = [...value.entries.keys()].filter((written) => !known.includes(written));
  return unknown.slice(0, comparedFields).some((written) => nearestName(written, known) === name);
}

function unknownHint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ?? `Known fields here: ${listNames(known, 30)}.`;
}
