import type { ClientTls } from "../manifest/destination-rule.ts";
import type { MeshService } from "../mesh/mesh.ts";
import type { RouteClient } from "./route-client.ts";
import type { SecretId, UpstreamTls } from "./route-table-tls.ts";
import type { Credential, SecretStore } from "./secret-store.ts";

export type UpstreamTlsResult =
  /** Undefined `tls` speaks plain text. */
  | { readonly kind: "built"; readonly tls: UpstreamTls | undefined }
  /** Plain words, to follow "because". */
  | { readonly kind: "missing"; readonly reason: string };

export interface UpstreamTlsSources {
  readonly secrets: SecretStore;
  readonly service: Pick<MeshService, "subjectAltNames">;
  readonly client: RouteClient;
  /** True where the rule has a workloadSelector. */
  readonly isForSomeWorkloads: boolean;
}

/**
 * How TLS is begun for modes SIMPLE and MUTUAL. Without `sni` the name of the request is asked for, and without names
 * of its own the ServiceEntry's count. A sidecar takes no Secret from a rule for everybody and then speaks plain text.
 * Source: Istio `pilot/pkg/networking/core/cluster_tls.go`, buildUpstreamClusterTLSContext and constructUpstreamTLS.
 */
export function buildUpstreamTls(tls: ClientTls, sources: UpstreamTlsSources): UpstreamTlsResult {
  const { client, service, isForSomeWorkloads } = sources;
  if (isSet(tls.credentialName) && client.kind === "sidecar" && !isForSomeWorkloads) {
    return { kind: "built", tls: undefined };
  }
  const certificate = tls.mode === "MUTUAL" ? findCertificate(tls, sources) : undefined;
  if (certificate?.kind === "missing") return certificate;
  const trust = findTrust(tls, sources);
  if (trust.kind === "missing") return trust;
  return {
    kind: "built",
    tls: {
      sni: isSet(tls.sni) ? tls.sni : undefined,
      certificate: certificate?.id,
      trust: trust.trust,
      subjectAltNames: tls.subjectAltNames.length > 0 ? tls.subjectAltNames : service.subjectAltNames,
    },
  };
}

function findCertificate(tls: ClientTls, { secrets, client }: UpstreamTlsSources): Credential {
  if (isSet(tls.credentialName)) return secrets.findCertificate(tls.credentialName, client.namespace);
  const { clientCertificate, privateKey } = tls;
  return isSet(clientCertificate) && isSet(privateKey)
    ? { kind: "found", id: secrets.addCertificateFiles({ certificate: clientCertificate, key: privateKey }) }
    : { kind: "missing", reason: "mode MUTUAL names no certificate and key" };
}

type TrustResult =
  | { readonly kind: "trust"; readonly trust: UpstreamTls["trust"] }
  | Extract<Credential, { kind: "missing" }>;

function findTrust(tls: ClientTls, { secrets, client }: UpstreamTlsSources): TrustResult {
  if (tls.insecureSkipVerify === true) return { kind: "trust", trust: { kind: "none" } };
  if (isSet(tls.credentialName)) {
    const found = secrets.findTrust(tls.credentialName, client.namespace);
    return found.kind === "missing" ? found : trusting(found.id);
  }
  return isSet(tls.caCertificates) && tls.caCertificates !== "system"
    ? trusting(secrets.addTrustFile({ ca: tls.caCertificates, revocations: tls.caCrl }))
    : { kind: "trust", trust: { kind: "system" } };
}

function trusting(id: SecretId): TrustResult {
  return { kind: "trust", trust: { kind: "secret", id } };
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
