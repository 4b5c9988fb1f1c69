import type { Position } from "../../diagnostics/position.ts";
import { list, strings, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  reportConflict,
  reportDiscouraged,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, withDefault } from "../decode/object.ts";
import { boolean, oneOf, string } from "../decode/scalars.ts";
import type { CertificateFiles, ServerTls, TlsProtocolVersion } from "../gateway.ts";
import { listNames } from "../decode/nearest-name.ts";
import { certificateHash, spkiHash } from "./certificate-hash.ts";
import { isCipherSuite } from "./cipher-suites.ts";

const modes = oneOf(["PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"], {
  ISTIO_MUTUAL: { support: "ignored", reason: "it takes certificates of the mesh, and workloads here have none" },
  AUTO_PASSTHROUGH: { support: "ignored", reason: "it is for gateways between clusters" },
});

const versions = oneOf(["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]);

const certificate = object({
  fields: {
    serverCertificate: optional(string),
    privateKey: optional(string),
    caCertificates: optional(string),
  },
});

const tlsFields = object({
  fields: {
    httpsRedirect: withDefault(boolean, false),
    mode: withDefault(modes, "PASSTHROUGH"),
    serverCertificate: withDefault(string, ""),
    privateKey: withDefault(string, ""),
    caCertificates: withDefault(string, ""),
    caCrl: withDefault(string, ""),
    credentialName: withDefault(string, ""),
    credentialNames: withDefault(strings, []),
    caCertCredentialName: withDefault(string, ""),
    tlsCertificates: withDefault(list(certificate), []),
    subjectAltNames: withDefault(strings, []),
    verifyCertificateSpki: withDefault(list(spkiHash), []),
    verifyCertificateHash: withDefault(list(certificateHash), []),
    minProtocolVersion: optional(versions),
    maxProtocolVersion: optional(versions),
    cipherSuites: withDefault(strings, []),
  },
  unserved: { insecureSkipVerify: "Istio does not read it at a server either" },
});

type TlsFields = Exclude<ReturnType<typeof tlsFields>, symbol>;

/** `tls` of a server, with what it says about plain requests. */
export interface ServerTlsBlock {
  readonly httpsRedirect: boolean;
  readonly settings: ServerTls;
  /** Undefined where the block asks for the redirect alone. */
  readonly ended: ServerTls | undefined;
}

/** Source of the rules: Istio `pkg/config/validation/validation.go`, validateTLSOptions, and the schema. */
export const decodeServerTls: Decoder<ServerTlsBlock> = transform(tlsFields, (tls, place, context) => {
  checkVersions(tls, place, context);
  checkLengths(tls, place, context);
  if (tls.mode === "ISTIO_MUTUAL") {
    checkMeshMode(tls, place, context);
  } else {
    checkCertificates(tls, place, context);
    checkRevocations(tls, place, context);
  }
  const settings = buildServerTls(tls, positionOf(place, context));
  return {
    httpsRedirect: tls.httpsRedirect,
    settings,
    ended: asksForRedirectAlone(place) ? undefined : settings,
  };
});

function buildServerTls(tls: TlsFields, at: Position): ServerTls {
  return {
    mode: tls.mode,
    credentialNames: tls.credentialName === "" ? tls.credentialNames : [tls.credentialName],
    caCertCredentialName: textOf(tls.caCertCredentialName),
    certificateFiles: certificateFiles(tls),
    caCertificates: textOf(tls.caCertificates),
    caCrl: textOf(tls.caCrl),
    subjectAltNames: tls.subjectAltNames,
    verifyCertificateSpki: tls.verifyCertificateSpki,
    verifyCertificateHash: tls.verifyCertificateHash,
    minProtocolVersion: versionOf(tls.minProtocolVersion),
    maxProtocolVersion: versionOf(tls.maxProtocolVersion),
    cipherSuites: [...new Set(tls.cipherSuites.filter(isCipherSuite))],
    at,
  };
}

function asksForRedirectAlone(place: Place): boolean {
  return place.value.kind === "map" && [...place.value.entries.keys()].every((name) => name === "httpsRedirect");
}

function textOf(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function versionOf(version: TlsFields["minProtocolVersion"]): TlsProtocolVersion | undefined {
  return version === "TLS_AUTO" ? undefined : version;
}

function certificateFiles(tls: TlsFields): readonly CertificateFiles[] {
  const written = tls.tlsCertificates.length > 0 ? tls.tlsCertificates : [tls];
  return written.flatMap(({ serverCertificate = "", privateKey = "" }) =>
    serverCertificate === "" || privateKey === "" ? [] : [{ serverCertificate, privateKey }],
  );
}

function checkVersions(tls: TlsFields, place: Place, context: DecodeContext): void {
  const isOld = tls.minProtocolVersion === "TLSV1_0" || tls.minProtocolVersion === "TLSV1_1";
  if (isOld && tls.cipherSuites.length === 0) {
    const at = fieldPlace(place, "minProtocolVersion") ?? place;
    reportDiscouraged(at, context, {
      complaint: "is below TLS 1.2, and the default cipher suites are none that it could use",
      hint: "Name cipherSuites for it.",
    });
  }
  const at = fieldPlace(place, "cipherSuites") ?? place;
  const unknown = new Set(tls.cipherSuites.filter((name) => !isCipherSuite(name)));
  if (unknown.size > 0) {
    reportDiscouraged(
      at,
      context,
      `has cipher suites that no proxy knows and that are left out: ${listNames([...unknown])}`,
    );
  }
  const known = tls.cipherSuites.filter(isCipherSuite);
  if (new Set(known).size < known.length) {
    reportDiscouraged(at, context, "names a cipher suite twice");
  }
}

/** Bounds of the schema. */
function checkLengths(tls: TlsFields, place: Place, context: DecodeContext): void {
  for (const name of ["credentialNames", "tlsCertificates"] as const) {
    const at = fieldPlace(place, name);
    if (at !== undefined && (tls[name].length > 2 || tls[name].length === 0)) {
      reportValue(at, context, `must have one item or two, but has ${tls[name].length}`);
    }
  }
}

function checkMeshMode(tls: TlsFields, place: Place, context: DecodeContext): void {
  const certificates = [
    "serverCertificate",
    "privateKey",
    "caCertificates",
    "tlsCertificates",
    "credentialName",
    "credentialNames",
  ] as const;
  const given = certificates.filter((name) => tls[name].length > 0);
  if (given.length > 0) {
    reportConflict(
      place,
      context,
      `must not have ${given.join(" and ")} with mode ISTIO_MUTUAL, because Istio provides the certificate`,
    );
  }
}

function checkCertificates(tls: TlsFields, place: Place, context: DecodeContext): void {
  const sources = certificateSources(tls);
  if (sources.length > 1) {
    reportConflict(place, context, `must take its certificate from one place, but has ${sources.join(" and ")}`);
  }
  if (tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") {
    if (sources.length > 0 || [tls.serverCertificate, tls.privateKey, tls.caCertificates, tls.caCrl].some(textOf)) {
      const hint = "Set mode to SIMPLE to end TLS here.";
      reportDiscouraged(place, context, { complaint: `names certificates, which mode ${tls.mode} does not use`, hint });
    }
    return;
  }
  const complaint =
    sources.includes("credentialName") || sources.includes("credentialNames") ? undefined : complainFiles(tls);
  if (complaint !== undefined) {
    reportValue(place, context, complaint);
  }
}

function certificateSources(tls: TlsFields): readonly string[] {
  const given = {
    credentialName: tls.credentialName !== "",
    credentialNames: tls.credentialNames.length > 0,
    tlsCertificates: tls.tlsCertificates.length > 0,
    serverCertificate: tls.serverCertificate !== "" && tls.privateKey !== "",
  };
  return Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
}

function complainFiles(tls: TlsFields): string | undefined {
  const written = tls.tlsCertificates.length > 0 ? tls.tlsCertificates : [tls];
  const isHalf = written.some(
    ({ serverCertificate = "", privateKey = "" }) => serverCertificate === "" || privateKey === "",
  );
  if (isHalf) {
    return `needs a credentialName, or serverCertificate and privateKey, for mode ${tls.mode}`;
  }
  return tls.mode !== "SIMPLE" && tls.caCertificates === ""
    ? `needs caCertificates for mode ${tls.mode}, to verify clients with`
    : undefined;
}

function checkRevocations(tls: TlsFields, place: Place, context: DecodeContext): void {
  if (tls.caCrl === "" || tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") {
    return;
  }
  if (tls.credentialName !== "") {
    const hint = 'Put the list into the Secret, as "ca.crl".';
    reportDiscouraged(place, context, {
      complaint: "has caCrl, which has no effect together with credentialName",
      hint,
    });
  } else if (tls.mode === "SIMPLE") {
    reportConflict(place, context, "must not have caCrl with mode SIMPLE, which asks clients for no certificate");
  }
}
