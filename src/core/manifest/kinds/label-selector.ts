import { stringMap, transform } from "../decode/collections.ts";
import type { Decoder } from "../decode/decoder.ts";
import { object, withDefault } from "../decode/object.ts";

/** `workloadSelector` of a ServiceEntry or a Sidecar: labels that must all be there. */
export const labelSelector: Decoder<Readonly<Record<string, string>>> = transform(
  object({ fields: { labels: withDefault(stringMap, {}) } }),
  ({ labels }) => labels,
);

/** `workloadSelector` of a DestinationRule, the same under another name. */
export const matchLabelsSelector: Decoder<Readonly<Record<string, string>>> = transform(
  object({ fields: { matchLabels: withDefault(stringMap, {}) } }),
  ({ matchLabels }) => matchLabels,
);
