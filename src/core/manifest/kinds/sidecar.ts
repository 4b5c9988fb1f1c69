import { list, nonEmpty, refine, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  renderPath,
  report,
  reportConflict,
  reportDiscouraged,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, ignored, object, optional, required, withDefault } from "../decode/object.ts";
import { oneOf, portNumber, string, zeroOr } from "../decode/scalars.ts";
import { complainFqdn, complainLabel, isHttpProtocol, isIpAddress, isTlsProtocol } from "../names.ts";
import type { SidecarEgress, SidecarIngress, SidecarOutboundPolicy, SidecarPort, SidecarSpec } from "../sidecar.ts";
import { decodeConnectionPool } from "./connection-pool.ts";
import { decodeDestination } from "./destination.ts";
import { decodeServerTls, type ServerTlsBlock } from "./gateway-tls.ts";
import { itemPlace } from "./hosts.ts";
import { labelSelector } from "./label-selector.ts";
import { protocolOrNone } from "./port-protocol.ts";
import { egressHosts } from "./sidecar-hosts.ts";
import { complainUnixAddress, isUnixAddress } from "./unix-address.ts";

const sidecarPort: Decoder<SidecarPort> = object({
  fields: {
    number: withDefault(zeroOr(portNumber), 0),
    name: withDefault(
      refine(string, (text) => (text === "" ? undefined : complainLabel(text))),
      "",
    ),
    protocol: withDefault(protocolOrNone, "TCP"),
  },
  unsupported: { targetPort: "Istio refuses it too, because it has no effect at a Sidecar" },
});

const captureMode = ignored(
  withDefault(oneOf(["DEFAULT", "IPTABLES", "NONE"]), "DEFAULT"),
  "no connection on this machine is redirected",
);

const egressFields = object({
  fields: {
    port: optional(sidecarPort),
    bind: ignored(withDefault(string, ""), "services have addresses of their own on this machine"),
    captureMode,
    hosts: required(nonEmpty(egressHosts)),
  },
});

const decodeEgress: Decoder<SidecarEgress> = transform(egressFields, (egress, place, context) => {
  const complaint = complainEgressPort(egress);
  if (complaint !== undefined) {
    reportConflict(place, context, complaint);
  }
  const bind = egress.bind === "" ? undefined : egress.bind;
  return { ...egress, bind, at: positionOf(place, context) };
});

/** Source: Istio `pkg/config/validation/validation.go`, validateSidecarEgressPortBindAndCaptureMode. */
function complainEgressPort(egress: Exclude<ReturnType<typeof egressFields>, symbol>): string | undefined {
  const { port, bind } = egress;
  if (port === undefined) {
    return undefined;
  }
  if (port.number !== 0) {
    return complainBind(bind);
  }
  if (!isUnixAddress(bind)) {
    return "has the port 0, which needs a bind such as unix:///run/app.sock";
  }
  return egress.captureMode === "IPTABLES"
    ? "binds to a Unix socket, and then captureMode must be DEFAULT or NONE"
    : withSubject("bind", complainUnixAddress(bind));
}

function complainBind(bind: string): string | undefined {
  return bind === "" || isIpAddress(bind)
    ? undefined
    : `must bind to an IP address, but binds to ${JSON.stringify(bind)}`;
}

function withSubject(subject: string, complaint: string | undefined): string | undefined {
  return complaint === undefined ? undefined : `has a ${subject} that ${complaint}`;
}

const localHosts: ReadonlySet<string> = new Set(["", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"]);

/** `127.0.0.1:port`, `[::1]:port`, `0.0.0.0:port`, `[::]:port`, `:port` or a Unix socket. */
const endpoint = refine(string, (text) => {
  if (text === "") {
    return undefined;
  }
  if (isUnixAddress(text)) {
    return complainUnixAddress(text);
  }
  const [, host, port] = /^(.*):([0-9]{1,5})$/.exec(text) ?? [];
  const isPort = Number(port) >= 1 && Number(port) <= 65535;
  return host !== undefined && localHosts.has(host) && isPort
    ? undefined
    : `must be a port of 127.0.0.1, [::1], 0.0.0.0 or [::], or unix:///path, but is ${JSON.stringify(text)}`;
});

const ingressFields = object({
  fields: {
    port: required(sidecarPort),
    bind: ignored(
      withDefault(string, ""),
      "a workload on this machine is reached through its proxy by no address at all",
    ),
    captureMode,
    defaultEndpoint: withDefault(endpoint, ""),
    tls: ignored(
      optional(decodeServerTls),
      "Istio reads it only with ENABLE_TLS_ON_SIDECAR_INGRESS, which is off unless somebody turns it on",
    ),
    connectionPool: optional(decodeConnectionPool),
  },
});

const decodeIngress: Decoder<SidecarIngress> = transform(ingressFields, (ingress, place, context) => {
  const { port, bind, defaultEndpoint, tls, connectionPool } = ingress;
  const complaint = port.number === 0 ? "must have a port.number from 1 to 65535" : complainBind(bind);
  if (complaint !== undefined) {
    reportValue(place, context, complaint);
  }
  if (tls !== undefined) {
    checkIngressTls(tls, port, { place: fieldPlace(place, "tls") ?? place, context });
  }
  const pool = fieldPlace(place, "connectionPool");
  if (pool !== undefined && fieldPlace(pool, "http") !== undefined && !isHttpProtocol(port.protocol)) {
    reportDiscouraged(pool, context, `has http settings, which have no effect on a port that speaks ${port.protocol}`);
  }
  return {
    port,
    bind: bind === "" ? undefined : bind,
    captureMode: ingress.captureMode,
    defaultEndpoint: defaultEndpoint === "" ? undefined : defaultEndpoint,
    tls: tls?.settings,
    connectionPool,
    at: positionOf(place, context),
  };
});

interface Where {
  readonly place: Place;
  readonly context: DecodeContext;
}

function checkIngressTls(tls: ServerTlsBlock, port: SidecarPort, { place, context }: Where): void {
  const unsupported = ["subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates"];
  for (const name of unsupported) {
    const at = fieldPlace(place, name);
    const isEmpty = at?.value.kind === "list" && at.value.items.length === 0;
    const isUnset = at?.value.kind === "boolean" && !at.value.value;
    if (at !== undefined && !isEmpty && !isUnset) {
      reportConflict(at, context, "is not supported at a Sidecar; Istio takes certificate files here");
    }
  }
  if (tls.settings.mode === "ISTIO_MUTUAL" || tls.settings.mode === "AUTO_PASSTHROUGH") {
    reportConflict(place, context, `must not have mode ${tls.settings.mode} at a Sidecar`);
  }
  if (!isTlsProtocol(port.protocol)) {
    reportConflict(place, context, `needs the port's protocol to be HTTPS or TLS, but it is ${port.protocol}`);
  }
}

const egressProxy = transform(decodeDestination, (proxy, place, context) => {
  const message = `"${renderPath(place)}" is deprecated, and newer versions of Istio ignore it.`;
  report(place, context, { code: "KIR1220", message });
  const complaint = complainFqdn(proxy.host);
  if (complaint !== undefined) {
    reportValue(fieldPlace(place, "host") ?? place, context, complaint);
  }
  if (proxy.port === undefined) {
    reportValue(place, context, "needs a port");
  }
  return proxy;
});

const outboundModes = withDefault(oneOf(["REGISTRY_ONLY", "ALLOW_ANY"]), "REGISTRY_ONLY");

const outboundPolicy: Decoder<SidecarOutboundPolicy> = transform(
  object({ fields: { mode: outboundModes, egressProxy: optional(egressProxy) } }),
  (policy, place, context) => {
    if (policy.egressProxy !== undefined && policy.mode !== "ALLOW_ANY") {
      reportConflict(place, context, "must have mode ALLOW_ANY to have an egressProxy");
    }
    return policy;
  },
);

const decodeFields = object({
  fields: {
    workloadSelector: optional(labelSelector),
    egress: withDefault(list(decodeEgress), []),
    ingress: withDefault(list(decodeIngress), []),
    outboundTrafficPolicy: optional(outboundPolicy),
    inboundConnectionPool: optional(decodeConnectionPool),
  },
});

/** `networking.istio.io` Sidecar. Source of the rules: Istio `pkg/config/validation/validation.go`, ValidateSidecar. */
export const decodeSidecar: Decoder<SidecarSpec> = transform(decodeFields, (spec, place, context) => {
  const { egress, ingress, outboundTrafficPolicy, inboundConnectionPool } = spec;
  const isEmpty = egress.length === 0 && ingress.length === 0;
  if (isEmpty && outboundTrafficPolicy === undefined && inboundConnectionPool === undefined) {
    reportValue(place, context, "needs one of egress, ingress, outboundTrafficPolicy and inboundConnectionPool");
  }
  checkIngressPorts(ingress, { place: fieldPlace(place, "ingress") ?? place, context });
  checkEgressListeners(egress, { place: fieldPlace(place, "egress") ?? place, context });
  return spec;
});

function checkIngressPorts(ingress: readonly SidecarIngress[], { place, context }: Where): void {
  const seen = new Set<number>();
  for (const [index, { port }] of ingress.entries()) {
    if (seen.has(port.number)) {
      reportConflict(itemPlace(place, index), context, `has the port ${port.number} again; ports must be unique`);
    }
    seen.add(port.number);
  }
}

/** One listener may have no port, as the last; ports and sockets of the others are unique. */
function checkEgressListeners(egress: readonly SidecarEgress[], { place, context }: Where): void {
  const seen = new Set<string>();
  for (const [index, { port, bind }] of egress.entries()) {
    const at = itemPlace(place, index);
    if (port === undefined) {
      if (index < egress.length - 1) {
        reportConflict(at, context, "has no port, so it must be the last of the list and the only one without");
      }
      continue;
    }
    const listener = port.number === 0 ? (bind ?? "") : String(port.number);
    if (seen.has(listener)) {
      reportConflict(at, context, `listens on ${listener} again; ports and sockets must be unique`);
    }
    seen.add(listener);
  }
}
