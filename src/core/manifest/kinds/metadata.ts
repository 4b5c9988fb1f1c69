import { ignoreAnnotation } from "../../diagnostics/suppression.ts";
import { recover, stringMap, transform } from "../decode/collections.ts";
import { childPlace, type DecodeContext, type Place, report } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";

/** Fields of ObjectMeta that are the API server's affair. Source: Kubernetes `apimachinery/pkg/apis/meta/v1/types.go`. */
const foreign = [
  "generateName",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
  // Up to Kubernetes 1.23.
  "clusterName",
];

const labels = transform(stringMap, (names, place, context) => {
  if (Object.hasOwn(names, ignoreAnnotation)) {
    reportMisplaced(ignoreAnnotation, `"${ignoreAnnotation}" is a label here, and silences nothing.`, {
      place,
      context,
    });
  }
  return names;
});

/** There is one annotation of kirikae's; anything else that looks like it was meant to be that one. */
const annotations = transform(stringMap, (texts, place, context) => {
  for (const name of Object.keys(texts)) {
    if (name.startsWith("kirikae.dev/") && name !== ignoreAnnotation) {
      reportMisplaced(name, `"${name}" is no annotation that kirikae reads.`, { place, context });
    }
  }
  return texts;
});

function reportMisplaced(
  name: string,
  message: string,
  { place, context }: { readonly place: Place; readonly context: DecodeContext },
): void {
  const entry = place.value.kind === "map" ? place.value.entries.get(name) : undefined;
  const child = entry === undefined ? place : childPlace(place, name, entry.value);
  const hint = `Findings about an object are silenced by metadata.annotations: {${ignoreAnnotation}: "CODE: reason"}.`;
  report(child, context, { code: "KIR1341", message, hint, offset: entry?.keyOffset });
}

/** The part of Kubernetes' metadata that matters here. A misspelt `namespace` would put the object somewhere else. */
export const decodeMetadata = object({
  fields: {
    name: required(string),
    namespace: optional(recover<string | undefined>(string, undefined)),
    labels: withDefault(recover(labels, {}), {}),
    annotations: withDefault(recover(annotations, {}), {}),
    creationTimestamp: optional(recover<string | undefined>(string, undefined)),
  },
  foreign,
});
