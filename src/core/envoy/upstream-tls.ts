import { ProxyProtocolConfig_Version as ProxyProtocolVersion } from "../../gen/envoy/config/core/v3/proxy_protocol_pb.ts";
import { ProxyProtocolUpstreamTransportSchema } from "../../gen/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.ts";
import { RawBufferSchema } from "../../gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.ts";
import { TlsParameters_TlsProtocol as TlsProtocol } from "../../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import type { Destination } from "../routes/route-table.ts";
import type { UpstreamTls } from "../routes/route-table-tls.ts";
import { emitExtension, type Extension } from "./extension.ts";
import type { Init } from "./init.ts";
import { emitSecretSource, systemTrustName } from "./secrets.ts";
import { emitTrust } from "./tls-validation.ts";

/** As Istio has it (cluster_tls.go): by itself, Envoy speaks nothing newer than 1.2 to a server. */
const versions = { tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2, tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3 };

/** Emits what stands between a destination's protocol and its socket; undefined for nothing. */
export function emitTransportSocket(destination: Destination): Extension | undefined {
  const { tls, proxyProtocol } = destination.policy;
  const secured = tls === undefined ? undefined : emitUpstreamTls(destination, tls);
  if (proxyProtocol === undefined) return secured;
  return emitExtension("envoy.transport_sockets.upstream_proxy_protocol", ProxyProtocolUpstreamTransportSchema, {
    config: { version: proxyProtocol === "v1" ? ProxyProtocolVersion.V1 : ProxyProtocolVersion.V2 },
    transportSocket: secured ?? emitExtension("envoy.transport_sockets.raw_buffer", RawBufferSchema, {}),
  });
}

/** Whether the name to ask for, and to find in the certificate, is the one that the request has as its host. */
export function takesNamesFromRequests({ tls }: Destination["policy"]): {
  readonly sni: boolean;
  readonly certificate: boolean;
} {
  if (tls === undefined || tls.sni !== undefined) return { sni: false, certificate: false };
  return { sni: true, certificate: tls.subjectAltNames.length === 0 && tls.trust.kind !== "none" };
}

function emitUpstreamTls(destination: Destination, tls: UpstreamTls): Extension {
  return emitExtension("envoy.transport_sockets.tls", UpstreamTlsContextSchema, {
    sni: tls.sni ?? "",
    commonTlsContext: {
      tlsParams: versions,
      alpnProtocols: protocolNames(destination),
      ...(tls.certificate === undefined ? {} : { tlsCertificateSdsSecretConfigs: [emitSecretSource(tls.certificate)] }),
      ...emitServerTrust(tls),
    },
  });
}

function emitServerTrust({ trust, subjectAltNames }: UpstreamTls): Init<typeof CommonTlsContextSchema> {
  switch (trust.kind) {
    case "none":
      return {};
    case "system":
      return { validationContextType: emitTrust(systemTrustName, { names: subjectAltNames }) };
    case "secret":
      return { validationContextType: emitTrust(trust.id, { names: subjectAltNames }) };
  }
}

/** HTTP/1.1 is offered to nobody, as in Istio: a server that is not asked speaks it. */
function protocolNames({ protocol, policy }: Destination): string[] {
  if (policy.usesClientProtocol) return ["h2", "http/1.1"];
  return protocol === "http2" ? ["h2"] : [];
}
