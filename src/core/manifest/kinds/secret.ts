import { mapOf, recover, transform } from "../decode/collections.ts";
import { type Decoder, invalid, type Place, renderPath, report } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { string } from "../decode/scalars.ts";
import type { SecretSpec } from "../secret.ts";
import { parseBase64 } from "./base64.ts";

/** Says nothing of what is there: whatever stands in a Secret may be a key, in the wrong form too. */
function refuse(place: Place, context: Parameters<Decoder<string>>[1], complaint: string): typeof invalid {
  report(place, context, { code: "KIR1005", message: `"${renderPath(place)}" ${complaint}.` });
  return invalid;
}

const base64Value: Decoder<Uint8Array> = (place, context) => {
  if (place.value.kind === "null") {
    return new Uint8Array();
  }
  const bytes = place.value.kind === "string" ? parseBase64(place.value.value) : undefined;
  return bytes ?? refuse(place, context, "must be base64; plain text goes into stringData");
};

const textValue: Decoder<Uint8Array> = (place, context) => {
  if (place.value.kind === "null") {
    return new Uint8Array();
  }
  return place.value.kind === "string"
    ? new TextEncoder().encode(place.value.value)
    : refuse(place, context, "must be a string");
};

type Entries = Readonly<Record<string, Uint8Array>>;

function firstOf(entries: Entries, names: readonly string[]): Uint8Array | undefined {
  return names
    .map((name) => (Object.hasOwn(entries, name) ? entries[name] : undefined))
    .find((bytes) => bytes !== undefined);
}

/** Istio's own names first; source: Istio `pilot/pkg/credentials/kube/secrets.go`. */
function buildSecret(type: string, entries: Entries): SecretSpec {
  return {
    type,
    certificate: firstOf(entries, ["cert", "tls.crt"]),
    privateKey: firstOf(entries, ["key", "tls.key"]),
    ca: firstOf(entries, ["cacert", "ca.crt"]),
    revocations: firstOf(entries, ["crl", "ca.crl"]),
  };
}

/** A `v1` Secret, read from the whole document; `stringData` wins over `data`, as in the API server. */
export const decodeSecret: Decoder<SecretSpec> = transform(
  object({
    fields: {
      type: withDefault(string, "Opaque"),
      // Of a Secret that cannot be read nobody may say that it is not there.
      data: withDefault(recover(mapOf(base64Value), {}), {}),
      stringData: withDefault(recover(mapOf(textValue), {}), {}),
    },
    foreign: ["apiVersion", "kind", "metadata", "immutable"],
  }),
  ({ type, data, stringData }) => buildSecret(type, { ...data, ...stringData }),
);

/** A `v1` ConfigMap with a CA, read from the whole document. */
export const decodeCaConfigMap: Decoder<SecretSpec> = transform(
  object({
    fields: { data: withDefault(mapOf(textValue), {}), binaryData: optional(mapOf(base64Value)) },
    foreign: ["apiVersion", "kind", "metadata", "immutable"],
  }),
  ({ data, binaryData }) => buildSecret("ConfigMap", { ...binaryData, ...data }),
);
