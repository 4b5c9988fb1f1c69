import { lenientList, recover, refine, transform } from "../decode/collections.ts";
import {
  childPlace,
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  report,
  renderPath,
  reportConflict,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { DestinationRuleSpec, Subset, TrafficPolicy } from "../destination-rule.ts";
import { complainLabel, complainWildcardHost } from "../names.ts";
import { exportTo } from "./hosts.ts";
import { labelMap, matchLabelsSelector } from "./label-selector.ts";
import { decodeTrafficPolicy } from "./traffic-policy.ts";

const policy = optional(recover<TrafficPolicy | undefined>(decodeTrafficPolicy, undefined));

const decodeSubset: Decoder<Subset> = transform(
  object({
    fields: {
      name: required(refine(string, complainLabel)),
      labels: withDefault(labelMap, {}),
      trafficPolicy: policy,
    },
  }),
  (subset, place, context) => ({ ...subset, at: positionOf(place, context) }),
);

/** `networking.istio.io` DestinationRule. Source of the rules: Istio `pkg/config/validation/validation.go`. */
export const decodeDestinationRule: Decoder<DestinationRuleSpec> = transform(
  object({
    fields: {
      host: required(refine(string, complainWildcardHost)),
      trafficPolicy: policy,
      subsets: withDefault(lenientList(decodeSubset), []),
      exportTo: withDefault(exportTo, []),
      workloadSelector: optional(matchLabelsSelector),
    },
  }),
  (spec, place, context) => {
    reportRepeatedSubsets(fieldPlace(place, "subsets"), context);
    checkExport(spec, fieldPlace(place, "exportTo") ?? place, context);
    return { ...spec, hostAt: positionOf(fieldPlace(place, "host") ?? place, context) };
  },
);

/** A rule for some clients is for those of its own namespace. */
function checkExport(
  { workloadSelector, exportTo: names }: Pick<DestinationRuleSpec, "workloadSelector" | "exportTo">,
  place: Place,
  context: DecodeContext,
): void {
  const isPrivate = names.every((name) => name === "." || name === context.namespace);
  if (workloadSelector !== undefined && !isPrivate) {
    reportConflict(place, context, 'must be "." alone, because the rule has a workloadSelector');
  }
}

function reportRepeatedSubsets(subsets: Place | undefined, context: DecodeContext): void {
  if (subsets?.value.kind !== "list") {
    return;
  }
  const seen = new Set<string>();
  for (const [index, value] of subsets.value.items.entries()) {
    const item = childPlace(subsets, index, value);
    const name = fieldPlace(item, "name")?.value;
    if (name?.kind !== "string") {
      continue;
    }
    if (seen.has(name.value)) {
      const message = `"${renderPath(item)}" has the name "${name.value}" again; subset names must be unique.`;
      report(item, context, { code: "KIR1014", message });
    }
    seen.add(name.value);
  }
}
