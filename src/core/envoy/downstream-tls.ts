import { TlsParameters_TlsProtocol as TlsProtocol } from "../../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import { DownstreamTlsContextSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import type { TlsTermination, TlsVersion } from "../routes/route-table-tls.ts";
import { emitExtension, type Extension } from "./extension.ts";
import { emitSecretSource } from "./secrets.ts";
import { emitTrust } from "./tls-validation.ts";

/** Emits the end of TLS at a chain; certificates come as secrets. */
export function emitDownstreamTls(tls: TlsTermination): Extension {
  const { clientCa } = tls;
  const conditions = {
    names: tls.clientNames,
    spkiHashes: tls.clientSpkiHashes,
    certificateHashes: tls.clientCertificateHashes,
  };
  return emitExtension("envoy.transport_sockets.tls", DownstreamTlsContextSchema, {
    requireClientCertificate: tls.mode === "mutual",
    commonTlsContext: {
      tlsParams: {
        tlsMinimumProtocolVersion: emitVersion(tls.minVersion),
        tlsMaximumProtocolVersion: emitVersion(tls.maxVersion),
        cipherSuites: [...tls.cipherSuites],
      },
      // Also for bytes that are carried as they are: behind them may be a server of HTTP/2. Whoever asks for another
      // protocol gets no answer about it. Source: Istio listener.go, BuildListenerTLSContext.
      alpnProtocols: ["h2", "http/1.1"],
      tlsCertificateSdsSecretConfigs: tls.certificates.map(emitSecretSource),
      ...(clientCa === undefined ? {} : { validationContextType: emitTrust(clientCa, conditions) }),
    },
  });
}

/** Envoy's own limits for a server are 1.2 and 1.3, and so are Istio's. */
function emitVersion(version: TlsVersion | undefined) {
  switch (version) {
    case undefined:
      return TlsProtocol.TLS_AUTO;
    case "1.0":
      return TlsProtocol.TLSv1_0;
    case "1.1":
      return TlsProtocol.TLSv1_1;
    case "1.2":
      return TlsProtocol.TLSv1_2;
    case "1.3":
      return TlsProtocol.TLSv1_3;
  }
}
