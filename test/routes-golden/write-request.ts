import { isDeepStrictEqual } from "node:util";
import type { AskedConnection } from "../../src/cli/explain-connection.ts";
import { hostOf } from "../../src/core/routes/find-virtual-host.ts";
import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";
import { readRequest } from "./read-request.ts";

/** The line that `readRequest` reads as this request, without its mark. */
export function writeRequest(request: SimulatedRequest): string {
  const { method, scheme, authority, port, target, headers, sni, from } = request;
  const rest = [
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(sni === undefined ? [] : [`sni: ${sni}`]),
    ...(from === undefined ? [] : [`from: ${from}`]),
  ];
  const usual = [`${method} ${scheme}://${authority}${target}`, ...rest].join(" | ");
  if (isReadAs(usual, request)) return usual;
  const name = hostOf(authority).replaceAll(/[^a-z0-9.-]/g, "");
  const parts = [`${method} ${scheme}://${name}:${port}/`, `authority: ${authority}`, `target: ${target}`, ...rest];
  return parts.join(" | ");
}

function isReadAs(line: string, request: SimulatedRequest): boolean {
  try {
    return isDeepStrictEqual(readRequest(line), request);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("not a request")) return false;
    throw error;
  }
}

/** The line that `readConnection` reads as this connection; TLS that names nobody has no such line. */
export function writeConnection({ from, host, port, isTls, serverName }: AskedConnection): string {
  const parts = [
    `${host === "" ? "gateway" : host}:${port}`,
    ...(isTls ? [`sni: ${serverName ?? ""}`] : []),
    ...(from === undefined ? [] : [`from: ${from}`]),
  ];
  return parts.join(" | ");
}
