import type { ServerTls, TlsProtocolVersion } from "../manifest/gateway.ts";
import type { SecretId, TlsTermination, TlsVersion } from "./route-table-tls.ts";
import type { Credential, SecretStore } from "./secret-store.ts";

export type TerminationResult =
  | { readonly kind: "termination"; readonly tls: TlsTermination }
  /** Plain words, to follow "because". */
  | { readonly kind: "missing"; readonly reason: string };

type TerminatingMode = Extract<ServerTls["mode"], "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL">;

/** True for the modes in which a gateway ends TLS with a certificate of its own. */
export function endsTls(tls: ServerTls): tls is ServerTls & { readonly mode: TerminatingMode } {
  return tls.mode === "SIMPLE" || tls.mode === "MUTUAL" || tls.mode === "OPTIONAL_MUTUAL";
}

/**
 * How a server ends TLS, with its credentials looked up for pods of `namespace`. Source: Istio
 * `pilot/pkg/networking/core/listener.go`, BuildListenerTLSContext; `pilot/pkg/security/model/authentication.go`.
 */
export function buildTermination(
  tls: ServerTls & { readonly mode: TerminatingMode },
  { secrets, namespace }: { readonly secrets: SecretStore; readonly namespace: string },
): TerminationResult {
  const found = tls.credentialNames.map((name) => secrets.findCertificate(name, namespace));
  const files = tls.credentialNames.length > 0 ? [] : tls.certificateFiles;
  const certificates = [
    ...found,
    ...files.map(({ serverCertificate, privateKey }): Credential => ({
      kind: "found",
      id: secrets.addCertificateFiles({ certificate: serverCertificate, key: privateKey }),
    })),
  ];
  const clientCa = tls.mode === "SIMPLE" ? undefined : findClientCa(tls, { secrets, namespace });
  const missing = [...certificates, ...(clientCa === undefined ? [] : [clientCa])].find(
    (credential) => credential.kind === "missing",
  );
  if (missing !== undefined) return missing;
  if (certificates.length === 0) return { kind: "missing", reason: "it names no certificate" };
  return {
    kind: "termination",
    tls: {
      mode: modes[tls.mode],
      certificates: certificates.flatMap(idOf),
      clientCa: clientCa === undefined ? undefined : idOf(clientCa)[0],
      clientNames: tls.subjectAltNames,
      clientSpkiHashes: tls.verifyCertificateSpki,
      clientCertificateHashes: tls.verifyCertificateHash,
      minVersion: versionOf(tls.minProtocolVersion),
      maxVersion: versionOf(tls.maxProtocolVersion),
      cipherSuites: tls.cipherSuites,
    },
  };
}

const modes = { SIMPLE: "simple", MUTUAL: "mutual", OPTIONAL_MUTUAL: "optionalMutual" } as const;

/** A Secret of its own, else the one of the first certificate, else a file. */
function findClientCa(
  tls: ServerTls,
  { secrets, namespace }: { readonly secrets: SecretStore; readonly namespace: string },
): Credential {
  const name = tls.caCertCredentialName ?? tls.credentialNames[0];
  if (name !== undefined) return secrets.findTrust(name, namespace);
  return tls.caCertificates === undefined
    ? { kind: "missing", reason: "it names no CA to verify clients with" }
    : { kind: "found", id: secrets.addTrustFile({ ca: tls.caCertificates, revocations: tls.caCrl }) };
}

function idOf(credential: Credential): readonly SecretId[] {
  return credential.kind === "found" ? [credential.id] : [];
}

function versionOf(version: TlsProtocolVersion | undefined): TlsVersion | undefined {
  switch (version) {
    case "TLSV1_0":
      return "1.0";
    case "TLSV1_1":
      return "1.1";
    case "TLSV1_2":
      return "1.2";
    case "TLSV1_3":
      return "1.3";
    case undefined:
      return undefined;
  }
}
