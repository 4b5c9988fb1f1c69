import { list, nonEmpty, refine, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Invalid,
  type Place,
  reportConflict,
  reportValue,
} from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { durationMs, oneOf, string } from "../decode/scalars.ts";
import type { AddedSubset, ProofRules, ReleaseSites, SubsetChange } from "../release.ts";
import { labelMap } from "./label-selector.ts";

/** What a Release says of the cluster, or the clusters, that it moves. */

const filled = refine(string, (text) => (text.trim() === "" ? "must not be empty" : undefined));

/** `name` in the namespace of the Release, or `namespace/name`. */
export function objectName(namespace: string): Decoder<{ readonly namespace: string; readonly name: string }> {
  return transform(string, (text, place, context) => {
    const parts = text.split("/");
    if (parts.length > 2 || parts.includes("")) {
      return reportValue(place, context, `must be a name or namespace/name, but is ${JSON.stringify(text)}`);
    }
    const [name = "", own = namespace] = parts.toReversed();
    return { namespace: own, name };
  });
}

/** `takeOver: [flagger]`. */
export const takeOver: Decoder<readonly string[]> = unique(nonEmpty(list(filled)), (manager) => manager);

/** `proof: {unreachable: goOn, timeout: 5m}`. */
export const proof: Decoder<ProofRules> = transform(
  object({ fields: { unreachable: withDefault(oneOf(["wait", "goOn"]), "wait"), timeout: optional(durationMs) } }),
  ({ unreachable, timeout }) => ({ unreachable, timeoutMs: timeout }),
);

export const whenDeleted = oneOf(["restore", "leave"]);

/** `sites: {contexts: [blue-cluster, green-cluster], order: together}`. */
export const sites: Decoder<ReleaseSites> = object({
  fields: {
    contexts: required(unique(nonEmpty(list(filled)), (context) => context)),
    order: withDefault(oneOf(["together", "oneAfterTheOther"]), "oneAfterTheOther"),
  },
});

const addedSubset: Decoder<AddedSubset> = object({ fields: { name: required(filled), labels: required(labelMap) } });

/** `subsets: [{destinationRule: sample-app, add: [{name: green, labels: {version: green}}], remove: [blue]}]`. */
export function subsets(namespace: string): Decoder<readonly SubsetChange[]> {
  const change = transform(
    object({
      fields: {
        destinationRule: required(objectName(namespace)),
        add: withDefault(
          unique(list(addedSubset), ({ name }) => name),
          [],
        ),
        remove: withDefault(
          unique(strings, (name) => name),
          [],
        ),
      },
    }),
    ({ destinationRule, add, remove }, place, context): SubsetChange | Invalid => {
      if (add.length + remove.length === 0) return reportConflict(place, context, "adds no subset and removes none");
      const both = add.find(({ name }) => remove.includes(name));
      if (both !== undefined) return reportConflict(place, context, `adds and removes ${both.name}`);
      return { namespace: destinationRule.namespace, destinationRule: destinationRule.name, add, remove };
    },
  );
  return unique(nonEmpty(list(change)), (one) => `${one.namespace}/${one.destinationRule}`);
}

/** A list that names nothing twice. */
function unique<T>(items: Decoder<readonly T[]>, nameOf: (item: T) => string): Decoder<readonly T[]> {
  return transform(items, (given, place: Place, context: DecodeContext) => {
    const names = given.map(nameOf);
    const double = names.find((name, index) => names.indexOf(name) !== index);
    return double === undefined ? given : reportConflict(place, context, `names ${double} twice`);
  });
}
