import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { IssuedCertificate } from "../certificates.fixture.ts";

/** What a backend saw of one request; it is what the backend answers with. */
export interface SeenRequest {
  readonly upstream: string;
  readonly protocol: string;
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  /** In the order of the wire, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Ties the requests that a proxy makes, retries and mirrors among them, to the one that a test has sent. */
export const tagHeader = "x-probe-tag";
/** Backends that are named in it answer with the status that follows: `blue=503,green=404`. */
const failHeader = "x-probe-fail";

/** How a backend speaks: HTTP of either version as it comes, the same behind TLS, or its name to whoever connects. */
export type BackendKind = "http" | "https" | "tcp";

export interface EchoBackends extends AsyncDisposable {
  portOf(name: string): number;
  /** The names of the backends that saw requests with this tag, in the order of arrival. */
  seenBy(tag: string): readonly string[];
}

/** Backends on loopback that answer with who they are and what they saw. */
export async function startEchoBackends(
  names: Readonly<Record<string, BackendKind>>,
  certificate: IssuedCertificate,
): Promise<EchoBackends> {
  await using stack = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  const seen = new Map<string, string[]>();
  const note = (tag: string, name: string) => {
    const list = seen.get(tag) ?? [];
    seen.set(tag, [...list, name]);
  };
  for (const [name, kind] of Object.entries(names)) {
    const serve = kind === "tcp" ? greet(name) : serveHttp(name, note);
    ports.set(name, await listen(kind === "https" ? behindTls(certificate, serve) : serve, stack));
  }
  const running = stack.move();
  return {
    portOf(name) {
      const port = ports.get(name);
      if (port === undefined) throw new Error(`no backend ${name}`);
      return port;
    },
    seenBy: (tag) => seen.get(tag) ?? [],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function listen(onConnection: (socket: Socket) => void, stack: AsyncDisposableStack): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A proxy that goes away resets its connections; that is no failure of the backend.
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

function greet(name: string): (socket: Socket) => void {
  return (socket) => socket.end(`I am ${name}\n`);
}

/** Shows its certificate to everybody and asks nobody for one. */
function behindTls({ certificate, key }: IssuedCertificate, serve: (socket: Socket) => void): (socket: Socket) => void {
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    socket.on("error", () => socket.destroy());
    serve(socket);
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return (socket) => server.emit("connection", socket);
}

/** The first bytes tell HTTP/2 with prior knowledge from HTTP/1.1. */
function serveHttp(name: string, note: (tag: string, name: string) => void): (socket: Socket) => void {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const seen = describe(name, request);
    const tag = seen.headers.find(([header]) => header === tagHeader)?.[1];
    if (tag !== undefined) note(tag, name);
    const body = JSON.stringify(seen);
    const length = Buffer.byteLength(body);
    const headers = { "content-type": "application/json", "content-length": length, "x-r": "up", "x-q": "up" };
    response.writeHead(statusOf(name, request), headers);
    response.end(body);
  };
  const first = createHttpServer(answer);
  first.keepAliveTimeout = 120_000;
  // Node's two interfaces are alike in what is used of them here.
  const second = createHttp2Server(answer as unknown as Parameters<typeof createHttp2Server>[1]);
  return (socket) =>
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      (chunk.toString("latin1").startsWith("PRI") ? second : first).emit("connection", socket);
      // The server listens for data only now, and a stream that was paused by hand does not flow by itself.
      process.nextTick(() => socket.resume());
    });
}

function describe(upstream: string, request: IncomingMessage): SeenRequest {
  request.resume();
  const { rawHeaders } = request;
  const headers = Array.from({ length: rawHeaders.length / 2 }, (_, at): readonly [string, string] => [
    rawHeaders[2 * at]?.toLowerCase() ?? "",
    rawHeaders[2 * at + 1] ?? "",
  ]).filter(([name]) => !name.startsWith(":"));
  return {
    upstream,
    protocol: request.httpVersion,
    method: request.method ?? "",
    target: request.url ?? "",
    authority: request.headers.host ?? String(request.headers[":authority"] ?? ""),
    headers,
  };
}

function statusOf(name: string, request: IncomingMessage): number {
  const wanted = String(request.headers[failHeader] ?? "").split(",");
  const status = wanted.find((each) => each.startsWith(`${name}=`))?.split("=")[1];
  return status === undefined ? 200 : Number(status);
}
