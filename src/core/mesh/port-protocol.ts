import type { ServicePort } from "../manifest/service.ts";
import type { MeshPort } from "./mesh.ts";

type Protocol = MeshPort["protocol"];

const protocols: ReadonlyMap<string, Protocol> = new Map([
  ["http", "http"],
  ["http_proxy", "http"],
  ["grpc-web", "http"],
  ["http2", "http2"],
  ["grpc", "http2"],
  ["https", "tls"],
  ["tls", "tls"],
  ["tcp", "tcp"],
  ["mongo", "tcp"],
  ["redis", "tcp"],
  ["mysql", "tcp"],
  ["udp", "udp"],
  ["kubernetes.io/h2c", "http2"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/wss", "tls"],
]);

/** Where the server speaks first, guessing would wait for ever: SMTP, DNS, MySQL, MongoDB. */
const serverFirstPorts: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/**
 * What is spoken to a Service's port: by appProtocol, else by the first part of its name (`grpc-web`, `http-admin`).
 * A port that says nothing is spoken to in HTTP/1.1 by a gateway. Source: Istio `pkg/config/kube/conversion.go`.
 */
export function guessProtocol(port: ServicePort): Protocol {
  if (port.protocol !== "TCP") {
    return "udp";
  }
  const named = namedProtocol(port);
  return named ?? (serverFirstPorts.has(port.number) ? "tcp" : "http");
}

/** The protocol that the port says, or undefined when it says none. */
export function namedProtocol(port: Pick<ServicePort, "appProtocol" | "name">): Protocol | undefined {
  if (port.appProtocol !== undefined) {
    return protocols.get(port.appProtocol.toLowerCase());
  }
  const name = (port.name ?? "").toLowerCase();
  if (name === "grpc-web" || name.startsWith("grpc-web-")) {
    return "http";
  }
  return protocols.get(name.split("-", 1)[0] ?? "");
}

/** The protocol of a ServiceEntry's port, which is always said. */
export function entryProtocol(protocol: string): Protocol {
  return protocols.get(protocol.toLowerCase()) ?? "tcp";
}
