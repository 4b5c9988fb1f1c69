import { lenientList, nonEmpty, refine, stringMap, transform } from "../decode/collections.ts";
import {
  type DecodeContext,
  type Decoder,
  type Place,
  positionOf,
  renderPath,
  report,
  reportValue,
} from "../decode/decoder.ts";
import { fieldPlace, object, optional, required, withDefault } from "../decode/object.ts";
import { portNumber, string } from "../decode/scalars.ts";
import type { GatewayServer, GatewaySpec, ServerTls } from "../gateway.ts";
import { complainLabel, complainWildcardHost, isHttpProtocol, isIpAddress } from "../names.ts";
import { decodeServerTls, type ServerTlsBlock } from "./gateway-tls.ts";
import { checkedStrings } from "./hosts.ts";
import { portProtocol } from "./port-protocol.ts";

const decodePort = object({
  fields: {
    number: required(portNumber),
    name: required(refine(string, (name) => (name === "" ? "must not be empty" : undefined))),
    protocol: required(portProtocol),
  },
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
  const { port, bind, hosts, tls } = fields;
  checkTls(port.protocol, place, { tls, context });
  const httpsRedirect = tls?.httpsRedirect ?? false;
  if (httpsRedirect && !isHttpProtocol(port.protocol)) {
    report(fieldPlace(place, "tls") ?? place, context, {
      code: "KIR1013",
      message: `"${renderPath(place)}.tls.httpsRedirect" has no effect on ${port.protocol}.`,
    });
  }
  const name = fields.name ?? port.name;
  const at = positionOf(place, context);
  return { name, port, bind, hosts, httpsRedirect, tls: tls === undefined ? undefined : serverTls(tls), at };
});

function serverTls({ httpsRedirect: _redirect, isRedirectOnly, ...tls }: ServerTlsBlock): ServerTls | undefined {
  return isRedirectOnly ? undefined : tls;
}

/** `networking.istio.io` Gateway. Source of the rules: Istio `pkg/config/validation/validation.go`. */
export const decodeGateway: Decoder<GatewaySpec> = transform(
  object({
    fields: { selector: withDefault(stringMap, {}), servers: required(nonEmpty(lenientList(decodeServer))) },
  }),
  ({ selector, servers }, place, context) => {
    checkPortNames(servers, place, context);
    return { selector, servers };
  },
);

function checkPortNames(servers: readonly GatewayServer[], place: Place, context: DecodeContext): void {
  const seen = new Set<string>();
  for (const server of servers) {
    if (seen.has(server.port.name)) {
      report(place, context, {
        code: "KIR1014",
        message: `Two servers have ports with the name "${server.port.name}", and port names must be unique in a Gateway.`,
      });
    }
    seen.add(server.port.name);
  }
}

function checkTls(
  protocol: string,
  place: Place,
  { tls, context }: { readonly tls: ServerTlsBlock | undefined; readonly context: DecodeContext },
): void {
  const needsTls = protocol === "HTTPS" || protocol === "TLS";
  if (needsTls && tls === undefined) {
    reportValue(place, context, `needs "tls", because its protocol is ${protocol}`);
  } else if (!needsTls && tls !== undefined && !tls.isRedirectOnly && tls.mode !== "PASSTHROUGH") {
    const tlsPlace = fieldPlace(place, "tls") ?? place;
    reportValue(tlsPlace, context, `may hold only httpsRedirect on a server that speaks ${protocol}`);
  }
}

function complainBind(bind: string): string | undefined {
  return isIpAddress(bind) ? undefined : `must be an IP address, but is ${JSON.stringify(bind)}`;
}

/** `host`, or `namespace/host` with `.` and `*` as namespaces too; short names are not allowed at a gateway. */
function complainServerHost(text: string): string | undefined {
  const slash = text.indexOf("/");
  const namespace = slash === -1 ? "*" : text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (namespace !== "*" && namespace !== "." && complainLabel(namespace) !== undefined) {
    return `must have a namespace, "." or "*" before the slash, but is ${JSON.stringify(text)}`;
  }
  if (host === "*" || isIpAddress(host)) {
    return undefined;
  }
  if (!host.includes(".")) {
    return `must be a full host name, not a short one, but is ${JSON.stringify(text)}`;
  }
  return complainWildcardHost(host);
}
