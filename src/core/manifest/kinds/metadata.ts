import { recover, stringMap } from "../decode/collections.ts";
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

/** The part of Kubernetes' metadata that matters here. A misspelt `namespace` would put the object somewhere else. */
export const decodeMetadata = object({
  fields: {
    name: required(string),
    namespace: optional(recover<string | undefined>(string, undefined)),
    labels: withDefault(recover(stringMap, {}), {}),
    annotations: withDefault(recover(stringMap, {}), {}),
    creationTimestamp: optional(recover<string | undefined>(string, undefined)),
  },
  foreign,
});
