import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Answer, parseAnswer } from "./answer.ts";

export interface Asked {
  readonly port: number;
  /** The head of a request, without its empty line. */
  readonly lines: readonly string[];
  /** Undefined for a plain connection; empty for TLS that names nobody. */
  readonly serverName?: string | undefined;
}

/** On a raw socket, because every HTTP client mends the odd paths that this is about. */
export async function askEnvoy({ port, lines, serverName }: Asked): Promise<Answer> {
  const plain = connect(port, "127.0.0.1");
  plain.setTimeout(10_000, () => plain.destroy(new Error("no answer within 10 s")));
  const opened = serverName === undefined ? { socket: plain } : await openTls(plain, serverName);
  if (opened === undefined) return parseAnswer("");
  const { socket } = opened;
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  const answer = parseAnswer(await readAll(socket));
  plain.destroy();
  return "shown" in opened ? { ...answer, shown: opened.shown } : answer;
}

/** Undefined where the handshake is refused. */
async function openTls(plain: Socket, serverName: string): Promise<{ socket: Socket; shown: string } | undefined> {
  // Without a name of its own Node would send that of the machine.
  const socket = connectTls({ socket: plain, servername: serverName, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect");
  } catch (error) {
    plain.destroy();
    if (isReset(error)) return undefined;
    throw error;
  }
  return { socket, shown: String(socket.getPeerCertificate().subject?.CN ?? "") };
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** Until the answer is whole: Envoy would keep the connection for another second. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1");
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/\r\ncontent-length: (?<length>\d+)/i.exec(text)?.groups?.["length"] ?? 0);
      if (end >= 0 && text.length >= end + 4 + length) break;
    }
  } catch (error) {
    if (!isReset(error)) throw error;
  }
  return text;
}
