import { strings, transform } from "../decode/collections.ts";
import { type Decoder, positionOf, reportValue } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, oneOf, string } from "../decode/scalars.ts";
import type { ClientTls } from "../destination-rule.ts";

const tlsFields = object({
  fields: {
    mode: withDefault(oneOf(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]), "DISABLE"),
    clientCertificate: optional(string),
    privateKey: optional(string),
    caCertificates: optional(string),
    caCrl: optional(string),
    credentialName: optional(string),
    subjectAltNames: withDefault(strings, []),
    sni: optional(string),
    insecureSkipVerify: optional(boolean),
  },
});

type TlsFields = Exclude<ReturnType<typeof tlsFields>, symbol>;

/** `tls` of a trafficPolicy. Source of the rules: Istio `pkg/config/validation/validation.go`, validateTLS. */
export const decodeClientTls: Decoder<ClientTls> = transform(tlsFields, (fields, place, context) => {
  const complaint = complainTls(fields);
  return complaint === undefined
    ? { ...fields, at: positionOf(place, context) }
    : reportValue(place, context, complaint);
});

function complainTls(tls: TlsFields): string | undefined {
  if (tls.insecureSkipVerify === true && (isSet(tls.caCertificates) || tls.subjectAltNames.length > 0)) {
    return "must not have insecureSkipVerify together with caCertificates or subjectAltNames";
  }
  const files = [tls.clientCertificate, tls.privateKey, tls.caCertificates, tls.caCrl].some(isSet);
  if ((tls.mode === "SIMPLE" || tls.mode === "MUTUAL") && isSet(tls.credentialName) && files) {
    return "must not have credentialName together with files";
  }
  if (tls.mode !== "MUTUAL" || isSet(tls.credentialName)) {
    return undefined;
  }
  return isSet(tls.clientCertificate) && isSet(tls.privateKey)
    ? undefined
    : "needs clientCertificate and privateKey, or credentialName, for mode MUTUAL";
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}
