import type { SimulatedRequest } from "./simulation.ts";

export type ResolvedTarget =
  | { readonly kind: "request"; readonly request: SimulatedRequest }
  | { readonly kind: "rejected"; readonly status: 400 | 403; readonly reason: string };

/**
 * A request whose target is a whole URL, as clients send it to a proxy, in the form in which it is routed: the URL's
 * host replaces the Host header. Only `http` is taken; `https` on a plain port is forbidden.
 * Source: Envoy `source/common/http/http1/codec_impl.cc`, handlePath; RFC 9112, section 3.2.2. Read off Envoy 1.40.
 */
export function resolveTarget(request: SimulatedRequest): ResolvedTarget {
  const url = /^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):\/\/(?<rest>.*)$/s.exec(request.target)?.groups;
  if (url === undefined) {
    return { kind: "request", request };
  }
  const scheme = (url["scheme"] ?? "").toLowerCase();
  const parts = urlRest.exec(url["rest"] ?? "")?.groups;
  if ((scheme !== "http" && scheme !== "https") || parts === undefined || Number(parts["port"] ?? 0) > 65_535) {
    return { kind: "rejected", status: 400, reason: `the target ${request.target} is not a valid http URL` };
  }
  if (scheme === "https" && request.scheme === "http") {
    return { kind: "rejected", status: 403, reason: "the target asks for https, and this listener speaks plain http" };
  }
  const { authority = "", target = "/" } = parts;
  return { kind: "request", request: { ...request, scheme, authority, target } };
}

/** User information before the host is dropped. */
const urlRest =
  /^(?:[^/?#@]*@)?(?<authority>(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?<port>[0-9]{1,5}))?)(?<target>\/.*)?$/s;
