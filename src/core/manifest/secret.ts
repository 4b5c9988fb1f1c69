/**
 * The part of a Kubernetes Secret (or of a ConfigMap with a CA) that TLS reads. Its bytes are never printed: not in a
 * diagnostic, not in a log and not in what `emit` shows.
 */
export interface SecretSpec {
  /** `kubernetes.io/tls`, `Opaque`, or whatever else the manifest says. */
  readonly type: string;
  /** `tls.crt` or `cert`: a certificate and those above it, PEM. */
  readonly certificate: Uint8Array | undefined;
  /** `tls.key` or `key`, PEM. */
  readonly privateKey: Uint8Array | undefined;
  /** `ca.crt` or `cacert`: what a peer's certificate is verified with, PEM. */
  readonly ca: Uint8Array | undefined;
  /** `ca.crl` or `crl`: certificates that were revoked, PEM. */
  readonly revocations: Uint8Array | undefined;
}
