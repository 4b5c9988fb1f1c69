import {
  type DecodeContext,
  type Decoder,
  describeAs,
  describePlace,
  type Invalid,
  invalid,
  type Place,
  renderPath,
  report,
  reportValue,
  type ValueException,
} from "./decoder.ts";
import { parseDuration } from "./duration.ts";
import { didYouMean, listNames } from "./nearest-name.ts";

/** A string; an unquoted number or boolean is refused, as the Kubernetes API server does. */
export const string: Decoder<string> = describeAs(
  (place, context) => {
    const { value } = place;
    return value.kind === "string" ? value.value : wrongType("a string", place, context);
  },
  { kind: "scalar", type: "string" },
);

/** A whole number, quoted or not being a difference that the API server makes too. */
export const integer: Decoder<number> = describeAs(
  (place, context) => {
    const { value } = place;
    return value.kind === "number" && Number.isSafeInteger(value.value)
      ? value.value
      : wrongType("a whole number", place, context);
  },
  { kind: "scalar", type: "integer" },
);

export const number: Decoder<number> = describeAs(
  (place, context) => {
    const { value } = place;
    return value.kind === "number" && Number.isFinite(value.value)
      ? value.value
      : wrongType("a number", place, context);
  },
  { kind: "scalar", type: "number" },
);

export const boolean: Decoder<boolean> = describeAs(
  (place, context) => {
    const { value } = place;
    return value.kind === "boolean" ? value.value : wrongType("true or false", place, context);
  },
  { kind: "scalar", type: "boolean" },
);

/** 2^63 ns: Go's `time.Duration` holds no more, and Envoy refuses what is far beyond. */
const longestMs = 9_223_372_036_854;

/** A length of time such as `1h`, `1m30s`, `5s`, `100ms` or `0.5s`, in milliseconds; Istio takes none below 1 ms. */
export const durationMs: Decoder<number> = describeAs(readDurationMs, { kind: "scalar", type: "duration" });

function readDurationMs(place: Place, context: DecodeContext): number | Invalid {
  const { value } = place;
  const parsed = value.kind === "string" ? parseDuration(value.value) : undefined;
  if (parsed === undefined) {
    const hint =
      value.kind === "number"
        ? `Write it with a unit, such as ${value.source}s.`
        : "Write a number with a unit, such as 1h, 1m30s, 5s or 100ms.";
    return reportValue(place, context, {
      complaint: `must be a duration, but is ${describePlace(place, context)}`,
      hint,
    });
  }
  if (parsed < 1) {
    return reportValue(place, context, "must be at least 1ms");
  }
  if (parsed > longestMs) {
    return reportValue(place, context, "must be at most 2562047h, which is all that Istio's clock can count");
  }
  return Number.isInteger(parsed) ? parsed : reportValue(place, context, "must be a whole number of milliseconds");
}

/** A duration that may also be zero, where zero switches something off. */
export const durationOrZeroMs: Decoder<number> = describeAs(
  (place, context) => {
    const { value } = place;
    return value.kind === "string" && parseDuration(value.value) === 0 ? 0 : durationMs(place, context);
  },
  { kind: "scalar", type: "duration" },
);

/** One of a fixed list of words; some may be valid and yet refused or without effect here. */
export function oneOf<const Names extends readonly string[]>(
  names: Names,
  exceptions: { readonly [Name in Names[number]]?: ValueException } = {},
): Decoder<Names[number]> {
  const reasons = new Map<string, ValueException>(Object.entries(exceptions));
  return describeAs(
    (place, context) => {
      const text = string(place, context);
      if (text === invalid) {
        return invalid;
      }
      const found = names.find((name) => name === text);
      if (found === undefined) {
        return reportValue(place, context, {
          complaint: `is ${describePlace(place, context)}, which is none of ${listNames(names.filter((name) => name !== ""))}`,
          hint: () => didYouMean(text, names),
        });
      }
      const exception = reasons.get(found);
      return exception === undefined ? found : reportException(found, exception, { place, context });
    },
    { kind: "enum", values: names, exceptions: reasons },
  );
}

function reportException<Name extends string>(
  name: Name,
  exception: ValueException,
  { place, context }: { readonly place: Place; readonly context: DecodeContext },
): Name | Invalid {
  const subject = `"${renderPath(place)}" is ${name}, which is`;
  if (exception.support === "ignored") {
    report(place, context, { code: "KIR1007", message: `${subject} not served locally: ${exception.reason}.` });
    return name;
  }
  report(place, context, {
    code: "KIR1006",
    message: `${subject} not supported: ${exception.reason}.`,
    hint: "Remove it, or route this host elsewhere.",
  });
  return invalid;
}

/** A port number, 1 to 65535. */
export const portNumber: Decoder<number> = (place, context) => {
  const value = integer(place, context);
  if (value === invalid || (value >= 1 && value <= 65535)) {
    return value;
  }
  return reportValue(place, context, `must be a port number from 1 to 65535, but is ${value}`);
};

/** A number that may also be 0, where protobuf has no difference between 0 and nothing. */
export function zeroOr(decode: Decoder<number>): Decoder<number> {
  return describeAs(
    (place, context) => (place.value.kind === "number" && place.value.value === 0 ? 0 : decode(place, context)),
    decode.shape,
  );
}

/** Reports that a value has the wrong type, with the way to correct it. */
export function wrongType(expected: string, place: Place, context: DecodeContext): Invalid {
  return reportValue(place, context, {
    complaint: `must be ${expected}, but is ${describePlace(place, context)}`,
    hint: quoteHint(expected, place, context),
  });
}

function quoteHint(expected: string, { value }: Place, { hidesValues }: DecodeContext): string | undefined {
  if (expected === "a string" && (value.kind === "number" || value.kind === "boolean")) {
    return hidesValues === true ? "Quote it." : `Quote it: "${value.source}".`;
  }
  const isQuoted = value.kind === "string" && /^(?:true|false|[-+]?[0-9][0-9.]*)$/.test(value.value);
  return isQuoted && expected !== "a string" ? "Remove the quotes." : undefined;
}
