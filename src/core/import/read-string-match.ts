import type { StringMatch } from "../manifest/virtual-service.ts";
import type { InputField } from "./field-ledger.ts";

/** `{exact}`, `{prefix}` or `{regex}`; undefined, with a note, where it is none of them. */
export function readStringMatch(field: InputField): StringMatch | undefined {
  for (const kind of ["exact", "prefix", "regex"] as const) {
    const value = field.get(kind).text();
    if (value !== undefined && value !== "") return { kind, value };
  }
  field.note("It has no exact value, prefix or regular expression, so it is left out.");
  return undefined;
}
