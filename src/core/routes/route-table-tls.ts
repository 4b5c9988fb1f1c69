/** How a filter chain ends TLS. */
export interface TlsTermination {
  /** `mutual` asks for a client's certificate and refuses callers without; `optionalMutual` only asks. */
  readonly mode: "simple" | "mutual" | "optionalMutual";
  /** Of different key types; at least one. */
  readonly certificates: readonly SecretId[];
  /** What clients' certificates are verified with; undefined only for `simple`. */
  readonly clientCa: SecretId | undefined;
  /** A client's certificate must carry one of these; empty takes all. */
  readonly clientNames: readonly string[];
  readonly clientSpkiHashes: readonly string[];
  readonly clientCertificateHashes: readonly string[];
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  /** Envoy's defaults where empty. */
  readonly cipherSuites: readonly string[];
}

export type TlsVersion = "1.0" | "1.1" | "1.2" | "1.3";

/** How a proxy begins TLS with a destination. */
export interface UpstreamTls {
  /** The name that is asked for; undefined takes the Host header of the request. */
  readonly sni: string | undefined;
  readonly certificate: SecretId | undefined;
  /** `system` is the machine's own list; `none` verifies nothing. */
  readonly trust: { readonly kind: "secret"; readonly id: SecretId } | { readonly kind: "system" | "none" };
  /** One of these must be in the certificate; empty with `sni` undefined takes the Host header. */
  readonly subjectAltNames: readonly string[];
}

/** `<kind>:<namespace>/<name>` of a Secret manifest or `file:<path>`, and `-cacert` for the part that verifies. */
export type SecretId = string;

/** Never printed, logged or journalled. */
export type Secret =
  | { readonly id: SecretId; readonly kind: "certificate"; readonly chain: SecretData; readonly key: SecretData }
  | {
      readonly id: SecretId;
      readonly kind: "trust";
      readonly ca: SecretData;
      readonly revocations: SecretData | undefined;
    };

/** Bytes of a manifest, or a file that the proxy reads by itself. */
export type SecretData =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string };
