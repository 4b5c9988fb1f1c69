import { splitAuthority } from "./split-authority.ts";
import type { SimulatedRequest } from "./simulation.ts";

/** A request as rules see it. */
export interface RoutedRequest extends SimulatedRequest {
  /** Of the connection, or what a caller from inside says of it; `scheme` is that of the URL, where a whole one was sent. */
  readonly forwardedProto: "http" | "https";
}

export type ResolvedTarget =
  | { readonly kind: "request"; readonly request: RoutedRequest }
  | { readonly kind: "rejected"; readonly status: 400 | 403 | 404; readonly reason: string };

/**
 * A request whose target is a whole URL, as clients send it to a proxy, in the form in which it is routed: the URL's
 * host and scheme replace those of the request. `https` on a plain port is forbidden.
 * Source: Envoy `source/common/http/http1/codec_impl.cc`, handlePath; RFC 9112, section 3.2.2. Read off Envoy 1.40.
 */
export function resolveTarget(request: SimulatedRequest): ResolvedTarget {
  if (request.target === "*" && request.method === "OPTIONS") {
    return rejected(404, "the target * asks about the proxy, and rules are for paths alone");
  }
  const url = /^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):\/\/(?<rest>.*)$/s.exec(request.target)?.groups;
  return url === undefined
    ? { kind: "request", request: toldBySender(request) }
    : resolveUrl(request, (url["scheme"] ?? "").toLowerCase(), urlRest.exec(url["rest"] ?? "")?.groups);
}

function resolveUrl(
  request: SimulatedRequest,
  scheme: string,
  parts: Readonly<Record<string, string>> | undefined,
): ResolvedTarget {
  if ((scheme !== "http" && scheme !== "https") || parts === undefined || Number(parts["port"] ?? 0) > 65_535) {
    return rejected(400, `the target ${request.target} is not a valid http URL`);
  }
  // What no request line may hold is found before anything is made of the URL.
  if (/[^!-~]/.test(request.target)) {
    return rejected(400, "the target holds a blank or what is no character of a URL");
  }
  if (scheme === "https" && request.scheme === "http") {
    return rejected(403, "the target asks for https, and this listener speaks plain http");
  }
  const { authority = "", target = "/" } = parts;
  if (!target.startsWith("/")) {
    return rejected(404, "the URL has a query and no path, and rules are for paths alone");
  }
  const { forwardedProto, ...told } = toldBySender({ ...request, authority, target });
  return { kind: "request", request: { ...told, scheme, forwardedProto } };
}

function rejected(status: 400 | 403 | 404, reason: string): ResolvedTarget {
  return { kind: "rejected", status, reason };
}

/**
 * A request from inside says more than one from outside: which port is meant, which a proxy has to read in the Host
 * header, and which scheme it had, which is believed (Envoy: `use_remote_address` false).
 */
function toldBySender(request: SimulatedRequest): RoutedRequest {
  const { from, authority, port, headers, scheme } = request;
  if (from === undefined) return { ...request, forwardedProto: scheme };
  const proto = headers.find(([name]) => name.toLowerCase() === "x-forwarded-proto")?.[1];
  const believed = proto === "https" || proto === "http" ? proto : scheme;
  return {
    ...request,
    authority: port === 80 || splitAuthority(authority).port !== "" ? authority : `${authority}:${port}`,
    scheme: believed,
    forwardedProto: believed,
  };
}

/** User information before the host is dropped. */
const urlRest =
  /^(?:[^/?#@]*@)?(?<authority>(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?<port>[0-9]{1,5}))?)(?<target>[/?].*)?$/s;
