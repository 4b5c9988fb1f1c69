import { once } from "node:events";
import { type Agent, request } from "node:https";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { IssuedCertificate } from "../certificates.fixture.ts";

export interface TlsCall {
  readonly port: number;
  /** The name that is asked for, and the Host header. */
  readonly name: string;
  readonly trust?: IssuedCertificate;
  readonly client?: IssuedCertificate;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly agent?: Agent;
}

export interface TlsAnswer {
  readonly status: number;
  readonly body: string;
  /** The common name of the certificate that the server showed. */
  readonly shown: string;
}

/** One request over TLS; rejects when the handshake or the connection fails. */
export function callTls({ port, name, trust, client, headers, path = "/", agent }: TlsCall): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        servername: name,
        headers: { host: name, ...headers },
        ca: trust?.certificate,
        cert: client?.certificate,
        key: client?.key,
        rejectUnauthorized: trust !== undefined,
        agent: agent ?? false,
      },
      (response) => {
        const socket = response.socket as TLSSocket;
        const { subject } = socket.getPeerCertificate();
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body, shown: String(subject?.CN ?? "") });
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

export interface TlsConnection extends Disposable {
  readonly socket: TLSSocket;
}

/** A TLS connection that has shaken hands; what the other side does then is the caller's affair. */
export async function connectTls(options: ConnectionOptions): Promise<TlsConnection> {
  const socket = connect({ host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return { socket, [Symbol.dispose]: () => void socket.destroy() };
}
