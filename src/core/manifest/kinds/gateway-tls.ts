import { list, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  report,
  renderPath,
  reportValue,
} from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, oneOf, string } from "../decode/scalars.ts";
import type { CertificateFiles, ServerTls, TlsProtocolVersion } from "../gateway.ts";

const modes = ["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"] as const;

const versions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] as const;

const certificate = object({
  fields: { serverCertificate: required(string), privateKey: required(string), caCertificates: optional(string) },
});

const tlsFields = object({
  fields: {
    httpsRedirect: withDefault(boolean, false),
    mode: optional(oneOf(modes)),
    serverCertificate: optional(string),
    privateKey: optional(string),
    caCertificates: optional(string),
    caCrl: optional(string),
    credentialName: optional(string),
    credentialNames: withDefault(strings, []),
    caCertCredentialName: optional(string),
    tlsCertificates: withDefault(list(certificate), []),
    subjectAltNames: withDefault(strings, []),
    verifyCertificateSpki: withDefault(strings, []),
    verifyCertificateHash: withDefault(strings, []),
    minProtocolVersion: optional(oneOf(versions)),
    maxProtocolVersion: optional(oneOf(versions)),
    cipherSuites: withDefault(strings, []),
  },
  unserved: { insecureSkipVerify: "Istio does not read it at a server either" },
});

type TlsFields = Exclude<ReturnType<typeof tlsFields>, symbol>;

/** `tls` of a server, with what it says about plain requests. */
export type ServerTlsBlock = ServerTls & {
  readonly httpsRedirect: boolean;
  /** True when the block asks for the redirect alone, and ends no TLS. */
  readonly isRedirectOnly: boolean;
};

/** Source of the rules: Istio `pkg/config/validation/validation.go`, validateTLSOptions. */
export const decodeServerTls: Decoder<ServerTlsBlock> = transform(tlsFields, (tls, place, context) => {
  checkCertificates(tls, place, context);
  return {
    mode: tls.mode ?? "PASSTHROUGH",
    credentialNames: isSet(tls.credentialName) ? [tls.credentialName] : tls.credentialNames,
    caCertCredentialName: isSet(tls.caCertCredentialName) ? tls.caCertCredentialName : undefined,
    certificateFiles: certificateFiles(tls),
    caCertificates: isSet(tls.caCertificates) ? tls.caCertificates : undefined,
    caCrl: isSet(tls.caCrl) ? tls.caCrl : undefined,
    subjectAltNames: tls.subjectAltNames,
    verifyCertificateSpki: tls.verifyCertificateSpki,
    verifyCertificateHash: tls.verifyCertificateHash,
    minProtocolVersion: versionOf(tls.minProtocolVersion),
    maxProtocolVersion: versionOf(tls.maxProtocolVersion),
    cipherSuites: [...new Set(tls.cipherSuites)],
    at: positionOf(place, context),
    httpsRedirect: tls.httpsRedirect,
    isRedirectOnly:
      place.value.kind === "map" && [...place.value.entries.keys()].every((name) => name === "httpsRedirect"),
  };
});

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

function versionOf(version: TlsFields["minProtocolVersion"]): TlsProtocolVersion | undefined {
  return version === "TLS_AUTO" ? undefined : version;
}

function certificateFiles(tls: TlsFields): readonly CertificateFiles[] {
  if (tls.tlsCertificates.length > 0) {
    return tls.tlsCertificates;
  }
  const { serverCertificate, privateKey } = tls;
  return isSet(serverCertificate) && isSet(privateKey) ? [{ serverCertificate, privateKey }] : [];
}

function checkCertificates(tls: TlsFields, place: Place, context: DecodeContext): void {
  const given = {
    credentialName: isSet(tls.credentialName),
    credentialNames: tls.credentialNames.length > 0,
    tlsCertificates: tls.tlsCertificates.length > 0,
    serverCertificate: isSet(tls.serverCertificate),
  };
  const sources = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (sources.length > 1) {
    const message = `"${renderPath(place)}" must take its certificate from one place, but has ${sources.join(" and ")}.`;
    report(place, context, { code: "KIR1014", message });
  }
  const complaint = complainCertificates(tls, sources.length > 0);
  if (complaint !== undefined) {
    reportValue(place, context, complaint);
  }
}

function complainCertificates(tls: TlsFields, hasSource: boolean): string | undefined {
  if (tls.mode === "ISTIO_MUTUAL" && hasSource) {
    return "must name no certificate for mode ISTIO_MUTUAL, because Istio provides it";
  }
  if (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL" && tls.mode !== "OPTIONAL_MUTUAL") {
    return undefined;
  }
  if (!hasSource) {
    return `needs a credentialName, or serverCertificate and privateKey, for mode ${tls.mode}`;
  }
  if (isSet(tls.serverCertificate) !== isSet(tls.privateKey)) {
    return "needs serverCertificate and privateKey together";
  }
  return tls.mode === "MUTUAL" && isSet(tls.serverCertificate) && !isSet(tls.caCertificates)
    ? "needs caCertificates for mode MUTUAL"
    : undefined;
}
