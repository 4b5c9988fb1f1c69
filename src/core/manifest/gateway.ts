import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` Gateway. */
export interface GatewaySpec {
  /** Labels of the gateway workload; empty selects every gateway workload. */
  readonly selector: Readonly<Record<string, string>>;
  /** Of every protocol, in the order of the manifest. */
  readonly servers: readonly GatewayServer[];
  /** Where `selector` is written; the Gateway itself where it is not. */
  readonly selectorAt?: Position;
}

export interface GatewayServer {
  /** `server.name` where set, else `port.name`. */
  readonly name: string;
  /** `protocol` is one of `portProtocols` in names.ts, in upper case. */
  readonly port: { readonly number: number; readonly name: string; readonly protocol: string };
  /** An IP address; undefined is every address. A server that binds to a Unix socket is left out, with a warning. */
  readonly bind: string | undefined;
  /** Each `host`, `*.suffix`, `*`, or one of these with a namespace, `.` or `*` and a slash before it. */
  readonly hosts: readonly string[];
  /** True when `tls.httpsRedirect` asks every plain request to be sent to https (301). */
  readonly httpsRedirect: boolean;
  /** Undefined where the manifest has no `tls`, or one that asks for the redirect alone on a plain HTTP server. */
  readonly tls: ServerTls | undefined;
  readonly at: Position;
}

type ServerTlsMode =
  /** Leaves the bytes as they are and routes by the name asked for (SNI); also what an absent mode means. */
  | "PASSTHROUGH"
  | "SIMPLE"
  | "MUTUAL"
  | "OPTIONAL_MUTUAL"
  /** Certificates of the mesh itself. */
  | "ISTIO_MUTUAL"
  /** Passed through to the cluster that the name itself encodes; for gateways between networks. */
  | "AUTO_PASSTHROUGH";

export type TlsProtocolVersion = "TLSV1_0" | "TLSV1_1" | "TLSV1_2" | "TLSV1_3";

/** How a server (or an inbound listener of a Sidecar) ends TLS. */
export interface ServerTls {
  readonly mode: ServerTlsMode;
  /** Names of Secrets with a certificate and its key, from `credentialName` or `credentialNames`; at most 2. */
  readonly credentialNames: readonly string[];
  /** The Secret that clients' certificates are verified with, where it is another. */
  readonly caCertCredentialName: string | undefined;
  /** Files, from the fields of `tls` itself or from `tlsCertificates`; at most 2. */
  readonly certificateFiles: readonly CertificateFiles[];
  /** A file that clients' certificates are verified with. */
  readonly caCertificates: string | undefined;
  /** A file with certificates that were revoked. */
  readonly caCrl: string | undefined;
  /** One of these must be in a client's certificate; empty takes all. */
  readonly subjectAltNames: readonly string[];
  readonly verifyCertificateSpki: readonly string[];
  readonly verifyCertificateHash: readonly string[];
  /** Undefined is Istio's default, TLS 1.2. */
  readonly minProtocolVersion: TlsProtocolVersion | undefined;
  readonly maxProtocolVersion: TlsProtocolVersion | undefined;
  /** Known ones only, without repetition; empty is Envoy's default. */
  readonly cipherSuites: readonly string[];
  readonly at: Position;
}

export interface CertificateFiles {
  readonly serverCertificate: string;
  readonly privateKey: string;
}
