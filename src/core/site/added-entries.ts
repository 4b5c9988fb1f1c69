import { parseJson } from "../manifest/parse-json.ts";
import { asList, asObject } from "./json-value.ts";

/**
 * What kirikae has changed of the form of a rule, so that it can be put back: which entries it has added, and which
 * weights were not there. It is written into an annotation of the VirtualService itself, because whoever moves next need
 * not be the one who moved before.
 */
export interface RuleNote {
  /** Keys of entries (`entryKey`), which go when their weight is 0 again. */
  readonly added: readonly string[];
  /** What `weight` an entry had where it did not count, by its key; null where there was none. */
  readonly had: Readonly<Record<string, number | null>>;
}

/** By the key of the rule in its object. */
export type AddedEntries = ReadonlyMap<string, RuleNote>;

export const noNote: RuleNote = { added: [], had: {} };

/** What is no such annotation, because somebody has edited it, says nothing. */
export function readAddedEntries(annotation: string | undefined): AddedEntries {
  const found = new Map<string, RuleNote>();
  for (const [rule, value] of Object.entries(asObject(parseJson(annotation ?? "")))) {
    const { added, had } = asObject(value);
    const weights = Object.entries(asObject(had)).filter(
      (entry): entry is [string, number | null] => entry[1] === null || typeof entry[1] === "number",
    );
    found.set(rule, {
      added: asList(added).filter((key) => typeof key === "string"),
      had: Object.fromEntries(weights),
    });
  }
  return found;
}

/** Undefined where there is nothing to say. */
export function renderAddedEntries(notes: AddedEntries): string | undefined {
  const kept = [...notes].filter(([, { added, had }]) => added.length > 0 || Object.keys(had).length > 0);
  return kept.length === 0 ? undefined : JSON.stringify(Object.fromEntries(kept));
}
