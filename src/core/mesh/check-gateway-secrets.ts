import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type GatewayManifest, objectName, resourceName, type SecretManifest } from "../manifest/manifest.ts";
import type { GatewayPods } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";
import type { SecretDirectory } from "./secret-directory.ts";

interface Surroundings {
  readonly pods: GatewayPods;
  readonly secrets: SecretDirectory;
  /** The time, in milliseconds since 1970; undefined leaves out whether a certificate is in date. */
  readonly nowMs: number | undefined;
}

/**
 * TLS servers of Gateways whose Secret is not there (IST0101) or cannot be used (IST0161).
 * Source: Istio `pkg/config/analysis/analyzers/gateway/secret.go`, `pilot/pkg/credentials/kube/secrets.go`.
 */
export function checkGatewaySecrets(mesh: Pick<Mesh, "gateways">, surroundings: Surroundings): readonly Diagnostic[] {
  return mesh.gateways
    .filter((gateway) => gateway.madeFrom !== undefined || surroundings.pods.find(gateway).length > 0)
    .flatMap((gateway) =>
      gateway.spec.servers.flatMap(({ tls }) =>
        (tls?.credentialNames ?? []).flatMap((name) => checkSecret(gateway, { name, at: tls?.at }, surroundings) ?? []),
      ),
    );
}

interface SecretReference {
  readonly name: string;
  readonly at: Diagnostic["at"];
}

function checkSecret(
  gateway: GatewayManifest,
  reference: SecretReference,
  { pods, secrets, nowMs }: Surroundings,
): Diagnostic | undefined {
  const namespaces = pods.namespacesOf(gateway);
  const secret = secrets.find(reference.name, namespaces);
  if (secret === undefined) {
    return reportMissing(gateway, reference, { namespaces, elsewhere: secrets.findElsewhere(reference.name) });
  }
  const complaint = complainSecret(secret, secrets, nowMs);
  return complaint === undefined
    ? undefined
    : diagnostic("KIR1203", {
        message: `The Secret ${objectName(secret)} ${complaint}, so clients cannot connect to this server.`,
        hint: "Renew the Secret with a certificate chain in tls.crt and its key in tls.key, both PEM.",
        resource: resourceName(gateway),
        at: reference.at,
      });
}

function reportMissing(
  gateway: GatewayManifest,
  { name, at }: SecretReference,
  { namespaces, elsewhere }: { readonly namespaces: readonly string[]; readonly elsewhere: readonly string[] },
): Diagnostic {
  const hint =
    elsewhere.length === 0
      ? "Add the Secret (kubernetes.io/tls with tls.crt and tls.key), or correct the name."
      : `There is ${listNames(elsewhere)}, but a Secret counts only in the namespace of the gateway's pods, wherever the Gateway itself is.`;
  return diagnostic("KIR1202", {
    message: `There is no Secret "${name}" in ${listNames(namespaces)}, where the pods of ${gateway.madeFrom === undefined ? "this Gateway" : "the gateway"} are, so TLS handshakes with the server fail.`,
    hint,
    resource: resourceName(gateway),
    at,
  });
}

/** What is wrong with a Secret, never with any of its content. */
function complainSecret(
  secret: SecretManifest,
  secrets: SecretDirectory,
  nowMs: number | undefined,
): string | undefined {
  const { certificate, privateKey } = secret.spec;
  if (certificate === undefined || certificate.length === 0 || privateKey === undefined || privateKey.length === 0) {
    return "has no certificate with its key, under tls.crt and tls.key or cert and key";
  }
  const certificates = secrets.certificatesOf(secret);
  if (certificates === undefined) {
    return "has a certificate that cannot be read";
  }
  const outOfDate = certificates.find(
    ({ notBeforeMs, notAfterMs }) => nowMs !== undefined && (nowMs < notBeforeMs || nowMs > notAfterMs),
  );
  if (outOfDate === undefined) {
    return undefined;
  }
  const date = new Date(outOfDate.notAfterMs).toISOString().slice(0, 10);
  return nowMs !== undefined && nowMs > outOfDate.notAfterMs
    ? `has a certificate that expired on ${date}`
    : "has a certificate that does not count yet";
}
