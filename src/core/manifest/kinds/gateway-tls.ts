import { list, strings, transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, type Place, report, renderPath, reportValue } from "../decode/decoder.ts";
import { object, optional, withDefault } from "../decode/object.ts";
import { boolean, oneOf, string } from "../decode/scalars.ts";

export interface ServerTls {
  readonly httpsRedirect: boolean;
  /** True when anything beside httpsRedirect is set, so that the server means to end or pass TLS. */
  readonly isTerminating: boolean;
}

const modes = ["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"] as const;

const versions = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"] as const;

const certificate = object({
  fields: { serverCertificate: optional(string), privateKey: optional(string), caCertificates: optional(string) },
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
    credentialNames: optional(strings),
    caCertCredentialName: optional(string),
    tlsCertificates: optional(list(certificate)),
    subjectAltNames: optional(strings),
    verifyCertificateSpki: optional(strings),
    verifyCertificateHash: optional(strings),
    minProtocolVersion: optional(oneOf(versions)),
    maxProtocolVersion: optional(oneOf(versions)),
    cipherSuites: optional(strings),
  },
});

type TlsFields = Exclude<ReturnType<typeof tlsFields>, symbol>;

/**
 * `tls` of a gateway server. TLS is not served locally yet, but a wrong block is still said to be wrong.
 * Source: Istio `pkg/config/validation/validation.go`, validateTLSOptions.
 */
export const decodeServerTls: Decoder<ServerTls> = transform(tlsFields, (tls, place, context) => {
  const { httpsRedirect, mode, ...others } = tls;
  checkCertificates(tls, place, context);
  const hasOthers = Object.values(others).some((value) => value !== undefined);
  return { httpsRedirect, isTerminating: hasOthers || (mode !== undefined && mode !== "PASSTHROUGH") };
});

function checkCertificates(tls: TlsFields, place: Place, context: DecodeContext): void {
  const names = ["credentialName", "credentialNames", "tlsCertificates", "serverCertificate"] as const;
  const sources = names.filter((name) => tls[name] !== undefined);
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
  if ((tls.serverCertificate === undefined) !== (tls.privateKey === undefined)) {
    return "needs serverCertificate and privateKey together";
  }
  return tls.mode === "MUTUAL" && tls.serverCertificate !== undefined && tls.caCertificates === undefined
    ? "needs caCertificates for mode MUTUAL"
    : undefined;
}
