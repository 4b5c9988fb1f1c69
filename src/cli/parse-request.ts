import type { SimulatedRequest } from "../core/routes/simulation.ts";
import { usageError } from "./usage-error.ts";

export interface RequestText {
  readonly url: string;
  readonly header: readonly string[];
  readonly method: string;
}

const urlPattern =
  /^(?<scheme>https?):\/\/(?<authority>(?:\[[0-9a-f:.]+\]|[^/?#:@\s]+)(?::(?<port>\d{1,5}))?)(?<target>[/?][^#\s]*)?(?:#\S*)?$/iu;

/**
 * The request that a URL, headers and a method describe. The path stays as it was written, because routes match on what
 * is sent, and a URL parser would tidy it. A Host header takes the place of the URL's host, as with curl.
 */
export function parseRequest({ url, header, method }: RequestText): SimulatedRequest {
  const parts = urlPattern.exec(url)?.groups;
  if (parts === undefined) {
    throw usageError(`"${url}" is not a URL of http or https.`, "Write it as in http://sample.hoge.com/path?query=1.");
  }
  const scheme = parts["scheme"]?.toLowerCase() === "https" ? "https" : "http";
  const port = parts["port"] === undefined ? defaultPort[scheme] : Number(parts["port"]);
  if (port < 1 || port > 65_535) throw usageError(`${port} is not a port.`, "A port is a number from 1 to 65535.");
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/u.test(method)) throw usageError(`"${method}" is not a method.`);
  const given = header.map(parseHeader);
  const host = given.find(([name]) => name.toLowerCase() === "host");
  return {
    port,
    scheme,
    authority: host?.[1] ?? parts["authority"] ?? "",
    method,
    target: withSlash(parts["target"] ?? "/"),
    headers: given.filter((pair) => pair !== host),
  };
}

const defaultPort = { http: 80, https: 443 } as const;

/** A URL may put its query right after the host; a request's target cannot (RFC 9112, 3.2.1). */
function withSlash(target: string): string {
  return target.startsWith("?") ? `/${target}` : target;
}

function parseHeader(text: string): readonly [name: string, value: string] {
  const found = /^(?<name>:?[A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(?<value>[^\r\n\0]*)$/u.exec(text)?.groups;
  if (found?.["name"] === undefined) {
    throw usageError(`"${text}" is not a header.`, "Write it as in -H 'x-version: green'.");
  }
  return [found["name"], (found["value"] ?? "").trimEnd()];
}
