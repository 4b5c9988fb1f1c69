import { lenientList, stringMap, strings, transform } from "../decode/collections.ts";
import { childPlace, type DecodeContext, type Decoder, type Place, positionOf, report } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { SecurityPolicySpec } from "../security-policy.ts";

const target = object({ fields: { name: optional(string) }, others: "ignore" });

const source = object({
  fields: {
    namespaces: withDefault(transform(strings, placeItems), []),
    notNamespaces: withDefault(transform(strings, placeItems), []),
  },
  others: "ignore",
});

const rule = object({
  fields: {
    from: withDefault(lenientList(object({ fields: { source: optional(source) }, others: "ignore" })), []),
  },
  others: "ignore",
});

const policyFields = object({
  fields: {
    selector: optional(object({ fields: { matchLabels: withDefault(stringMap, {}) }, others: "ignore" })),
    targetRef: optional(target),
    targetRefs: withDefault(lenientList(target), []),
    rules: withDefault(lenientList(rule), []),
  },
  others: "ignore",
});

/** AuthorizationPolicy, RequestAuthentication and PeerAuthentication: whom they are for, and whom they speak of. */
export const decodeSecurityPolicy: Decoder<SecurityPolicySpec> = transform(policyFields, (policy, place, context) => {
  report(place, context, {
    code: "KIR1009",
    message: `${context.kind} is checked against the other objects, but not enforced, because it does not route.`,
  });
  const sources = policy.rules.flatMap(({ from }) => from.flatMap((entry) => entry.source ?? []));
  return {
    selector: policy.selector?.matchLabels,
    hasTargets: policy.targetRef !== undefined || policy.targetRefs.length > 0,
    namespaces: sources.flatMap(({ namespaces, notNamespaces }) => [...namespaces, ...notNamespaces]),
  };
});

function placeItems(
  patterns: readonly string[],
  place: Place,
  context: DecodeContext,
): SecurityPolicySpec["namespaces"] {
  const items = place.value.kind === "list" ? place.value.items : [];
  return patterns.map((pattern, index) => {
    const value = items[index];
    return { pattern, at: positionOf(value === undefined ? place : childPlace(place, index, value), context) };
  });
}
