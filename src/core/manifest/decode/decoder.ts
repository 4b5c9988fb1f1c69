import type { DiagnosticCode } from "../../diagnostics/catalogue.ts";
import type { FindingLog } from "../../diagnostics/finding-log.ts";
import type { Position } from "../../diagnostics/position.ts";
import type { LineIndex } from "../yaml/line-index.ts";
import { describeType, describeValue, type YamlValue } from "../yaml/yaml-value.ts";

/** A value and the way to it from the top of its document. */
export interface Place {
  readonly value: YamlValue;
  readonly parent: Place | undefined;
  readonly key: string | number;
}

/** What a decoder gives when the value cannot be used; the reason is reported already. */
export const invalid: unique symbol = Symbol("invalid");
export type Invalid = typeof invalid;

/** Reads a typed value from a place; everything that is wrong with it goes to the context, never into an exception. */
export type Decoder<T> = ((place: Place, context: DecodeContext) => T | Invalid) & {
  /** What it reads, for the list of supported fields; a decoder without one reads a single value. */
  readonly shape?: Shape | undefined;
};

/**
 * What a decoder reads, as data: the one source of `docs/istio-support.md` and of the JSON Schema, so that neither can
 * drift from the decoders.
 */
export type Shape =
  | ObjectShape
  | { readonly kind: "scalar"; readonly type: ScalarType }
  /** A short form beside a long one. */
  | { readonly kind: "either"; readonly shapes: readonly (Shape | undefined)[] }
  | { readonly kind: "list" | "map"; readonly item: Shape | undefined }
  | {
      readonly kind: "enum";
      readonly values: readonly string[];
      /** Values that are refused or without effect, with the reason. */
      readonly exceptions: ReadonlyMap<string, ValueException>;
    };

export type ScalarType = "string" | "integer" | "number" | "boolean" | "duration";

export interface ObjectShape {
  readonly kind: "object";
  readonly fields: Readonly<Record<string, FieldShape>>;
  /** True where other fields are another program's affair. */
  readonly isOpen: boolean;
}

export type FieldShape =
  | { readonly support: "supported"; readonly isRequired: boolean; readonly shape: Shape | undefined }
  | { readonly support: "rejected" | "ignored"; readonly reason: string; readonly shape: Shape | undefined };

export interface ValueException {
  readonly support: "rejected" | "ignored";
  /** Without a full stop. */
  readonly reason: string;
}

/** Gives a decoder the description of what it reads. */
export function describeAs<T>(
  decode: (place: Place, context: DecodeContext) => T | Invalid,
  shape: Shape | undefined,
): Decoder<T> {
  return Object.assign((place: Place, context: DecodeContext) => decode(place, context), { shape });
}

/** What a decoder knows about the document around it. */
export interface DecodeContext {
  readonly lines: Pick<LineIndex, "positionOf">;
  readonly log: FindingLog;
  /** `Kind namespace/name`. */
  readonly resource: string | undefined;
  readonly kind: string;
  /** The namespace of the object, for fields in which `.` stands for it. */
  readonly namespace: string;
  /** Mappings with a field that nobody knows: what they lack was probably misspelt, and a fault is told once. */
  readonly misspelt: WeakSet<YamlValue>;
  /** Set where any value may be a key or a password, so that no message may quote one. */
  readonly hidesValues?: boolean;
}

/** How a message calls the value at a place: what it is and says, or only what it is where it may be a secret. */
export function describePlace({ value }: Place, { hidesValues }: DecodeContext): string {
  return hidesValues === true ? describeType(value) : describeValue(value);
}

export interface Problem {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** A function where finding the hint costs something, so that a finding that is cut costs nothing. */
  readonly hint?: string | (() => string | undefined) | undefined;
  /** Where it points to; the place itself when absent. */
  readonly offset?: number | undefined;
}

/** Builds the place of a child. */
export function childPlace(parent: Place, key: string | number, value: YamlValue): Place {
  return { value, parent, key };
}

/** The path as messages show it: `spec.http[1].match[0].uri.exact`, odd keys as `labels['a.b/c']`. */
export function renderPath(place: Place): string {
  const keys: (string | number)[] = [];
  for (let at: Place | undefined = place; at?.parent !== undefined; at = at.parent) {
    keys.push(at.key);
  }
  let path = "";
  for (const key of keys.toReversed()) {
    if (typeof key === "number") {
      path += `[${key}]`;
    } else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) {
      path += path === "" ? key : `.${key}`;
    } else {
      path += `['${key}']`;
    }
  }
  return path === "" ? "the document" : path;
}

export function positionOf(place: Place, context: DecodeContext): Position {
  return context.lines.positionOf(place.value.offset);
}

/** Reports a finding about a place. */
export function report(place: Place, context: DecodeContext, problem: Problem): void {
  const { code, message, hint, offset } = problem;
  context.log.report(code, () => ({
    message,
    hint: typeof hint === "function" ? hint() : hint,
    resource: context.resource,
    at: context.lines.positionOf(offset ?? place.value.offset),
  }));
}

/** What is wrong, as in `must not be empty`, or that with what to do about it. */
export type Complaint = string | { readonly complaint: string; readonly hint: Problem["hint"] };

/** Reports that the value at a place is not allowed: `"spec.hosts" must not be empty.` */
export function reportValue(place: Place, context: DecodeContext, complaint: Complaint): Invalid {
  reportComplaint("KIR1005", complaint, { place, context });
  return invalid;
}

/** Reports that a mapping lacks what it needs, unless it has a field that is unknown: then that was probably meant. */
export function reportLack(place: Place, context: DecodeContext, complaint: Complaint): Invalid {
  return context.misspelt.has(place.value) ? invalid : reportValue(place, context, complaint);
}

/** Reports that values which are each allowed are not allowed together. */
export function reportConflict(place: Place, context: DecodeContext, complaint: Complaint): Invalid {
  reportComplaint("KIR1014", complaint, { place, context });
  return invalid;
}

/** Reports that a value is accepted although it is deprecated or hardly does what was meant. */
export function reportDiscouraged(place: Place, context: DecodeContext, complaint: Complaint): void {
  reportComplaint("KIR1013", complaint, { place, context });
}

/** Reports a form that istiod reads and that Istio's admission webhook refuses, so that it counts here all the same. */
export function reportRefused(place: Place, context: DecodeContext, complaint: Complaint): void {
  reportComplaint("KIR1340", complaint, { place, context });
}

function reportComplaint(
  code: DiagnosticCode,
  complaint: Complaint,
  { place, context }: { readonly place: Place; readonly context: DecodeContext },
): void {
  const { complaint: text, hint } = typeof complaint === "string" ? { complaint, hint: undefined } : complaint;
  report(place, context, { code, message: `"${renderPath(place)}" ${text}.`, hint });
}
