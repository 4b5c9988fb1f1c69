import { mapOf, transform } from "../decode/collections.ts";
import {
  type Decoder,
  type DecodeContext,
  invalid,
  type Place,
  reportDiscouraged,
  reportValue,
} from "../decode/decoder.ts";
import { object, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import { complainLabelKey, complainLabelValue } from "../names.ts";

type Labels = Readonly<Record<string, string>>;

/** Labels, each as Kubernetes takes it. */
export const labelMap: Decoder<Labels> = mapOf((place, context) => {
  const value = string(place, context);
  if (value === invalid) {
    return invalid;
  }
  const complaint = complainLabelKey(String(place.key)) ?? complainLabelValue(value);
  return complaint === undefined ? value : reportValue(place, context, complaint);
});

const selectorLabels: Decoder<Labels> = mapOf((place, context) => {
  const value = string(place, context);
  if (value === invalid) {
    return invalid;
  }
  const key = String(place.key);
  if (key === "") {
    return reportValue(place, context, "has an empty key");
  }
  if (key.includes("*") || value.includes("*")) {
    return reportValue(place, context, "must hold no wildcard");
  }
  return value.length > 63 ? reportValue(place, context, "must be at most 63 characters long") : value;
});

function warnAboutNoLabels(labels: Labels, place: Place, context: DecodeContext): Labels {
  if (Object.keys(labels).length === 0) {
    reportDiscouraged(place, context, "names no labels, so it selects every workload of the namespace");
  }
  return labels;
}

/** `workloadSelector` of a ServiceEntry or a Sidecar: labels that must all be there. */
export const labelSelector: Decoder<Labels> = transform(
  object({ fields: { labels: withDefault(selectorLabels, {}) } }),
  ({ labels }, place, context) => warnAboutNoLabels(labels, place, context),
);

/** `workloadSelector` of a DestinationRule, the same under another name. */
export const matchLabelsSelector: Decoder<Labels> = transform(
  object({ fields: { matchLabels: withDefault(selectorLabels, {}) } }),
  ({ matchLabels }, place, context) => warnAboutNoLabels(matchLabels, place, context),
);
