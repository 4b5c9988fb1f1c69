import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { upstreams, type Upstream } from "../../arbitrary/mesh-services.ts";
import { type IssuedCertificate, issueCertificate } from "../../certificates.fixture.ts";
import type { Headers } from "./answer.ts";

/** What every upstream answers with, for rules to change. */
export const upstreamHeaders: Headers = [
  ["x-r", "up"],
  ["x-q", "up"],
];

/** One server for each upstream that says what it was asked, on a plain connection and on one with TLS alike. */
export async function startUpstreams(stack: AsyncDisposableStack): Promise<ReadonlyMap<Upstream, number>> {
  const ports = new Map<Upstream, number>();
  const identity = issueCertificate({ name: "upstream" });
  for (const name of upstreams) ports.set(name, await startUpstream(name, identity, stack));
  return ports;
}

async function startUpstream(name: string, identity: IssuedCertificate, stack: AsyncDisposableStack): Promise<number> {
  const http = createHttpServer((request, response) => {
    request.resume();
    const seen = JSON.stringify({
      upstream: name,
      target: request.url,
      authority: request.headers.host,
      requestHeaders: pairsOf(request.rawHeaders),
    });
    const headers = { ...Object.fromEntries(upstreamHeaders), "x-seen": Buffer.from(seen).toString("base64") };
    response.writeHead(200, headers).end();
  });
  http.keepAliveTimeout = 120_000;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Whoever hangs up in the middle is none of this server's affairs.
    socket.on("error", () => undefined);
    socket.once("data", (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      const opened = first[0] === tlsHandshake ? endTls(socket, identity) : socket;
      http.emit("connection", opened);
      if (opened === socket) socket.resume();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return portOf(server);
}

/** The first byte of a record that opens a TLS connection. */
const tlsHandshake = 0x16;

function endTls(socket: Socket, { certificate, key }: IssuedCertificate): TLSSocket {
  const secure = new TLSSocket(socket, { isServer: true, cert: certificate, key });
  secure.on("error", () => undefined);
  return secure;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function pairsOf(rawHeaders: readonly string[]): Headers {
  return Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    rawHeaders[2 * at] ?? "",
    rawHeaders[2 * at + 1] ?? "",
  ]);
}
