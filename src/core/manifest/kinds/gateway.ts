import { lenientList, nonEmpty, refine, stringMap, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  invalid,
  type Place,
  positionOf,
  renderPath,
  report,
  reportConflict,
  reportDiscouraged,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, reportMissing, required, withDefault } from "../decode/object.ts";
import { portNumber, string, zeroOr } from "../decode/scalars.ts";
import type { GatewayServer, GatewaySpec } from "../gateway.ts";
import type { ObjectMeta } from "../manifest.ts";
import { complainLabel, isHttpProtocol, isIpAddress, isTlsProtocol } from "../names.ts";
import { decodeServerTls, type ServerTlsBlock } from "./gateway-tls.ts";
import { checkedStrings, complainScopedHost, itemPlace } from "./hosts.ts";
import { portProtocol } from "./port-protocol.ts";
import { complainUnixAddress, isUnixAddress } from "./unix-address.ts";

const decodePort = object({
  fields: {
    number: required(zeroOr(portNumber)),
    name: required(refine(string, (name) => (name === "" ? "must not be empty" : undefined))),
    protocol: required(portProtocol),
  },
  unsupported: { targetPort: "Istio refuses it too, because it has no effect at a gateway" },
});

const decodeServerFields = object({
  fields: {
    port: required(decodePort),
    name: optional(string),
    bind: optional(refine(string, complainBind)),
    hosts: required(nonEmpty(checkedStrings(complainServerHost))),
    tls: optional(decodeServerTls),
  },
  unserved: { defaultEndpoint: "Istio does not read it at a gateway either" },
});

const decodeServer: Decoder<GatewayServer> = transform(decodeServerFields, (fields, place, context) => {
  const { port, hosts, tls } = fields;
  const bind = fields.bind === "" ? undefined : fields.bind;
  if (checkPort(port.number, bind, { place, context }) === invalid) {
    return invalid;
  }
  checkTls(port.protocol, place, { tls, context });
  if (bind !== undefined && isUnixAddress(bind)) {
    const message = `"${renderPath(place)}" binds to a Unix socket, which is not served locally: gateways have ports here.`;
    report(place, context, { code: "KIR1007", message });
    return invalid;
  }
  return {
    name: fields.name === undefined || fields.name === "" ? port.name : fields.name,
    port,
    bind,
    hosts,
    httpsRedirect: tls?.httpsRedirect ?? false,
    tls: tls?.ended,
    at: positionOf(place, context),
  };
});

const gatewayFields = object({
  // A Gateway without servers is refused, and kept all the same: what refers to it is judged on its own.
  fields: { selector: withDefault(stringMap, {}), servers: withDefault(lenientList(decodeServer), []) },
});

/** `networking.istio.io` Gateway. Source of the rules: Istio `pkg/config/validation/validation.go`. */
export function decodeGateway(metadata: ObjectMeta): Decoder<GatewaySpec> {
  return transform(gatewayFields, (spec, place, context) => {
    if (complainLabel(metadata.name) !== undefined) {
      reportValue(place, context, `belongs to a Gateway whose name must be one label, but is "${metadata.name}"`);
    }
    checkServers(place, context);
    checkPortNames(spec.servers, fieldPlace(place, "servers") ?? place, context);
    return { ...spec, selectorAt: positionOf(fieldPlace(place, "selector") ?? place, context) };
  });
}

function checkServers(place: Place, context: DecodeContext): void {
  const servers = fieldPlace(place, "servers");
  if (servers === undefined) {
    reportMissing("servers", place, context);
  } else if (servers.value.kind === "list" && servers.value.items.length === 0) {
    reportValue(servers, context, "must not be empty");
  }
}

interface Where {
  readonly place: Place;
  readonly context: DecodeContext;
}

function checkPort(number: number, bind: string | undefined, { place, context }: Where): undefined | typeof invalid {
  const isUnix = bind !== undefined && isUnixAddress(bind);
  if (isUnix && number !== 0) {
    return reportConflict(place, context, "binds to a Unix socket, and then port.number must be 0");
  }
  return !isUnix && number === 0 ? reportValue(place, context, "must have a port.number from 1 to 65535") : undefined;
}

function checkPortNames(servers: readonly GatewayServer[], place: Place, context: DecodeContext): void {
  const seen = new Set<string>();
  for (const [index, server] of servers.entries()) {
    if (seen.has(server.port.name)) {
      const at = servers.length === listLength(place) ? itemPlace(place, index) : place;
      reportConflict(
        at,
        context,
        `has the port name "${server.port.name}" again; port names must be unique in a Gateway`,
      );
    }
    seen.add(server.port.name);
  }
}

function listLength(place: Place): number {
  return place.value.kind === "list" ? place.value.items.length : 0;
}

function checkTls(
  protocol: string,
  place: Place,
  { tls, context }: { readonly tls: ServerTlsBlock | undefined; readonly context: DecodeContext },
): void {
  if (tls === undefined) {
    if (isTlsProtocol(protocol)) {
      reportValue(place, context, `needs "tls", because its protocol is ${protocol}`);
    }
    return;
  }
  const at = fieldPlace(place, "tls") ?? place;
  if (tls.httpsRedirect && !isHttpProtocol(protocol)) {
    reportDiscouraged(at, context, `has httpsRedirect, which has no effect on ${protocol}`);
  }
  if (isTlsProtocol(protocol)) {
    return;
  }
  const endsTls = tls.settings.mode !== "PASSTHROUGH" && tls.settings.mode !== "AUTO_PASSTHROUGH";
  if (!isHttpProtocol(protocol)) {
    reportValue(place, context, `must not have "tls", because its protocol is ${protocol}`);
  } else if (endsTls || tls.settings.certificateFiles.length > 0 || tls.settings.caCertificates !== undefined) {
    reportValue(at, context, `may hold only httpsRedirect on a server that speaks ${protocol}`);
  }
}

function complainBind(bind: string): string | undefined {
  if (bind === "" || isIpAddress(bind)) {
    return undefined;
  }
  return isUnixAddress(bind)
    ? complainUnixAddress(bind)
    : `must be an IP address or unix:///path, but is ${JSON.stringify(bind)}`;
}

/** `host`, or `namespace/host` with `.` and `*` as namespaces too; short names are not allowed at a gateway. */
function complainServerHost(text: string): string | undefined {
  const slash = text.indexOf("/");
  const namespace = slash === -1 ? "*" : text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (namespace !== "*" && namespace !== "." && complainLabel(namespace) !== undefined) {
    return `must have a namespace, "." or "*" before the slash, but is ${JSON.stringify(text)}`;
  }
  // An IPv6 address has no dot, and by Istio's rule a host needs one.
  return isIpAddress(host) && host.includes(".") ? undefined : complainScopedHost(host);
}
