import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { TLSSocket, TlsOptions } from "node:tls";

export interface LocalServer extends AsyncDisposable {
  readonly port: number;
}

/** What a backend saw of a request. */
export interface SeenRequest {
  readonly backend: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a TLS connection: the name that was asked for, and whose certificate came with it. */
  readonly sni?: string;
  readonly caller?: string;
}

/** A backend that answers with what it saw of the request, in JSON. */
export function startEcho(backend: string, tls?: TlsOptions): Promise<LocalServer> {
  const answer: RequestListener = (request, response) => {
    const url = new URL(request.url ?? "/", "http://backend");
    const status = Number(url.searchParams.get("status") ?? 200);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(describe(backend, request)));
  };
  return listen(tls === undefined ? createServer(answer) : createSecureServer(tls, answer));
}

export function startHttp(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<LocalServer> {
  // As long a head as a proxy takes.
  return listen(createServer({ maxHeaderSize: 128 * 1024 }, answer));
}

/** A backend of bytes: it says its name, then repeats what it is told, and remembers all of it. */
export async function startTcpEcho(name: string): Promise<LocalServer & { readonly heard: () => Buffer }> {
  const chunks: Buffer[] = [];
  const server = await listen(
    createTcpServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.write(`${name}\n`);
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        socket.write(chunk);
      });
      socket.on("end", () => socket.end());
    }),
  );
  return { ...server, heard: () => Buffer.concat(chunks) };
}

function describe(backend: string, request: IncomingMessage): SeenRequest {
  const socket = request.socket as Partial<TLSSocket>;
  const sni = socket.servername;
  const caller = socket.getPeerCertificate?.().subject?.CN;
  return {
    backend,
    method: request.method ?? "",
    path: request.url ?? "",
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    ...(typeof sni === "string" ? { sni } : {}),
    ...(caller === undefined ? {} : { caller: String(caller) }),
  };
}

async function listen(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
