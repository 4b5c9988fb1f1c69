import { refine, strings, transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, positionOf, reportConflict } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, oneOf, string } from "../decode/scalars.ts";
import type { ClientTls } from "../destination-rule.ts";

const modes = oneOf(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"], {
  ISTIO_MUTUAL: {
    support: "ignored",
    reason: "it takes certificates of the mesh, and workloads here have none, so plain text is spoken",
  },
});

/** Envoy refuses the whole cluster for a longer one; TLS has one byte for its length (RFC 6066, section 3, and RFC 1035). */
const serverName = refine(string, (text) => {
  if (text.includes("\0")) return "must hold no zero byte";
  return new TextEncoder().encode(text).length > 255 ? "must be at most 255 bytes long" : undefined;
});

const tlsFields = object({
  fields: {
    mode: withDefault(modes, "DISABLE"),
    clientCertificate: withDefault(string, ""),
    privateKey: withDefault(string, ""),
    caCertificates: withDefault(string, ""),
    caCrl: withDefault(string, ""),
    credentialName: withDefault(string, ""),
    subjectAltNames: optional(strings),
    sni: withDefault(serverName, ""),
    insecureSkipVerify: optional(boolean),
  },
});

type TlsFields = Exclude<ReturnType<typeof tlsFields>, symbol>;

/** `tls` of a trafficPolicy. Source of the rules: Istio `pkg/config/validation/agent/validation.go`, ValidateTLS. */
export const decodeClientTls: Decoder<ClientTls> = transform(tlsFields, (fields, place, context) => {
  const complaint = complainCredential(fields, context) ?? complainVerification(fields) ?? complainFiles(fields);
  if (complaint !== undefined) {
    reportConflict(place, context, complaint);
  }
  return {
    mode: fields.mode,
    clientCertificate: textOf(fields.clientCertificate),
    privateKey: textOf(fields.privateKey),
    caCertificates: textOf(fields.caCertificates),
    caCrl: textOf(fields.caCrl),
    credentialName: textOf(fields.credentialName),
    subjectAltNames: fields.subjectAltNames ?? [],
    sni: textOf(fields.sni),
    insecureSkipVerify: fields.insecureSkipVerify,
    at: positionOf(place, context),
  };
});

function textOf(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** `configmap://namespace/name` may name nothing outside the rule's own namespace. */
function complainCredential({ credentialName }: TlsFields, context: DecodeContext): string | undefined {
  if (!credentialName.startsWith("configmap://")) {
    return undefined;
  }
  const [namespace = "", name = ""] = credentialName.slice("configmap://".length).split("/");
  if (namespace === "" || name === "") {
    return "must have a credentialName such as configmap://namespace/name";
  }
  return namespace === context.namespace
    ? undefined
    : `must have a credentialName in its own namespace, ${JSON.stringify(context.namespace)}`;
}

function complainVerification(tls: TlsFields): string | undefined {
  if (tls.insecureSkipVerify !== true || (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL")) {
    return undefined;
  }
  const verifies =
    tls.caCertificates !== "" ||
    tls.subjectAltNames !== undefined ||
    (tls.mode === "SIMPLE" && tls.credentialName !== "");
  return verifies
    ? "must not have insecureSkipVerify together with what the certificate would be verified with"
    : undefined;
}

function complainFiles(tls: TlsFields): string | undefined {
  if (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL") {
    return undefined;
  }
  if (tls.credentialName !== "") {
    const files = [tls.clientCertificate, tls.privateKey, tls.caCertificates, tls.caCrl];
    return files.some((file) => file !== "") ? "must not have credentialName together with files" : undefined;
  }
  return tls.mode === "MUTUAL" && (tls.clientCertificate === "" || tls.privateKey === "")
    ? "needs clientCertificate and privateKey, or credentialName, for mode MUTUAL"
    : undefined;
}
