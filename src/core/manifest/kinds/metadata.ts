import { recover, stringMap } from "../decode/collections.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";

/** The part of Kubernetes' metadata that matters here; whatever else is there is the API server's affair. */
export const decodeMetadata = object({
  fields: {
    name: required(string),
    namespace: optional(recover<string | undefined>(string, undefined)),
    labels: withDefault(recover(stringMap, {}), {}),
    annotations: withDefault(recover(stringMap, {}), {}),
    creationTimestamp: optional(recover<string | undefined>(string, undefined)),
  },
  others: "ignore",
});
