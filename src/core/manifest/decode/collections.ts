import {
  childPlace,
  type DecodeContext,
  type Decoder,
  describeAs,
  type Invalid,
  invalid,
  type Place,
  renderPath,
  report,
  reportValue,
} from "./decoder.ts";
import { string, wrongType } from "./scalars.ts";

/** A list of which every item must be usable. */
export function list<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return describeAs(
    (place, context) => {
      const usable = decodeItems(item, place, context);
      const isComplete =
        usable !== invalid && place.value.kind === "list" && usable.length === place.value.items.length;
      return isComplete ? usable : invalid;
    },
    { kind: "list", item: item.shape },
  );
}

/** A list from which unusable items are left out, where the others still mean what they say. */
export function lenientList<T>(item: Decoder<T>): Decoder<readonly T[]> {
  return describeAs((place, context) => decodeItems(item, place, context), { kind: "list", item: item.shape });
}

function decodeItems<T>(item: Decoder<T>, place: Place, context: DecodeContext): readonly T[] | Invalid {
  const { value } = place;
  if (value.kind !== "list") {
    return wrongType("a list", place, context);
  }
  const usable: T[] = [];
  for (const [index, entry] of value.items.entries()) {
    const decoded = item(childPlace(place, index, entry), context);
    if (decoded !== invalid) {
      usable.push(decoded);
    }
  }
  return usable;
}

/** A list that Istio wants at least one item in. */
export function nonEmpty<T>(items: Decoder<readonly T[]>): Decoder<readonly T[]> {
  return describeAs(
    (place, context) =>
      place.value.kind === "list" && place.value.items.length === 0
        ? reportValue(place, context, "must not be empty")
        : items(place, context),
    items.shape,
  );
}

/** A mapping with free keys. A key that YAML 1.1 made a boolean of is kept as Kubernetes keeps it, with a warning. */
export function mapOf<T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return describeAs((place, context) => decodeEntries(item, place, context), { kind: "map", item: item.shape });
}

function decodeEntries<T>(
  item: Decoder<T>,
  place: Place,
  context: DecodeContext,
): Readonly<Record<string, T>> | Invalid {
  const { value } = place;
  if (value.kind !== "map") {
    return wrongType("a mapping", place, context);
  }
  const decoded: [string, T][] = [];
  let isInvalid = false;
  for (const [key, entry] of value.entries) {
    const child = childPlace(place, key, entry.value);
    if (entry.booleanSource !== undefined) {
      report(child, context, {
        code: "KIR1012",
        message: `The key "${entry.booleanSource}" in "${renderPath(place)}" is read as "${key}", as Kubernetes reads it.`,
        hint: `Quote it: "${entry.booleanSource}".`,
        offset: entry.keyOffset,
      });
    }
    const result = item(child, context);
    if (result === invalid) {
      isInvalid = true;
    } else {
      decoded.push([key, result]);
    }
  }
  return isInvalid ? invalid : recordOf(decoded);
}

/** Labels, annotations and the like. */
export const stringMap: Decoder<Readonly<Record<string, string>>> = mapOf(string);

export const strings: Decoder<readonly string[]> = list(string);

/** Own properties only, whatever the keys: `__proto__` in a manifest is a key like any other. */
function recordOf<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(entries);
}

/** Turns what was decoded into something else, with the place at hand; the function may report and give `invalid`. */
export function transform<T, U>(
  decoder: Decoder<T>,
  build: (value: T, place: Place, context: DecodeContext) => U | typeof invalid,
): Decoder<U> {
  return describeAs((place, context) => {
    const value = decoder(place, context);
    return value === invalid ? invalid : build(value, place, context);
  }, decoder.shape);
}

/** Rejects a value for which `complain` has something to say, such as `must not be empty`. */
export function refine<T>(decoder: Decoder<T>, complain: (value: T) => string | undefined): Decoder<T> {
  return transform(decoder, (value, place, context) => {
    const complaint = complain(value);
    return complaint === undefined ? value : reportValue(place, context, complaint);
  });
}

/** A value that cannot be used counts as the fallback; what is wrong with it is reported all the same. */
export function recover<T>(decoder: Decoder<T>, fallback: T): Decoder<T> {
  return describeAs((place, context) => {
    const value = decoder(place, context);
    return value === invalid ? fallback : value;
  }, decoder.shape);
}
