import { connect, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { IssuedCertificate } from "../certificates.fixture.ts";

export interface ProbeRequest {
  readonly port: number;
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly target: string;
  readonly authority: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** With this name in the handshake. */
  readonly tls?: { readonly serverName: string; readonly client?: IssuedCertificate | undefined };
}

export interface ProbeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** The name in the server's certificate; undefined without TLS, or where the handshake failed. */
  readonly certificate?: string | undefined;
}

const timeoutMs = 10_000;

/**
 * One request on a connection of its own, written by hand, because every HTTP client mends the odd paths that tests are
 * about. Where there is no answer, the status is 0 and the body says why.
 */
export async function sendRequest(request: ProbeRequest): Promise<ProbeAnswer> {
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    `host: ${request.authority}`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    "content-length: 0",
    "connection: close",
  ];
  try {
    const socket = open(request);
    let certificate: string | undefined;
    // A socket that has ended knows no certificate any more.
    socket.once("secureConnect", () => (certificate = nameOf(socket)));
    const text = await readAnswer(socket, `${head.join("\r\n")}\r\n\r\n`, request.method);
    return { ...parseAnswer(text, request.method), certificate };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { status: 0, headers: [], body: describeFailure(error) };
  }
}

/** What a TCP server says first, or `""` where the connection is closed without a word. */
export async function readBanner(request: Pick<ProbeRequest, "port" | "tls">): Promise<string> {
  try {
    const socket = open(request);
    limitTime(socket);
    socket.setEncoding("latin1");
    for await (const chunk of socket) return String(chunk);
    return "";
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return describeFailure(error);
  }
}

function open({ port, tls }: Pick<ProbeRequest, "port" | "tls">): Socket {
  if (tls === undefined) return connect(port, "127.0.0.1");
  const { serverName, client } = tls;
  return connectTls({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ...(serverName === "" ? {} : { servername: serverName }),
    ...(client === undefined ? {} : { key: client.key, cert: client.certificate }),
  });
}

function nameOf(socket: Socket): string | undefined {
  const name = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
  return typeof name === "string" ? name : undefined;
}

/** A server that keeps the client waiting is no answer that could be compared. */
class NoAnswerInTime extends Error {}

/** The reason without what differs between two runs. @throws NoAnswerInTime */
function describeFailure(error: Error): string {
  if (error instanceof NoAnswerInTime) throw error;
  const code = "code" in error ? String(error.code) : error.message;
  return `no answer: ${code}`;
}

function limitTime(socket: Socket): void {
  socket.setTimeout(timeoutMs, () => socket.destroy(new NoAnswerInTime(`no answer within ${timeoutMs} ms`)));
}

async function readAnswer(socket: Socket, text: string, method: string): Promise<string> {
  limitTime(socket);
  socket.setEncoding("latin1");
  socket.write(text, "latin1");
  let answer = "";
  for await (const chunk of socket) {
    answer += String(chunk);
    if (isWhole(answer, method)) break;
  }
  return answer;
}

/** Envoy would keep the connection for another second. */
function isWhole(text: string, method: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  if (method === "HEAD") return true;
  const head = text.slice(0, end + 2);
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return text.endsWith("0\r\n\r\n");
  const length = /\r\ncontent-length: (?<length>\d+)/i.exec(head)?.groups?.["length"];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

function parseAnswer(text: string, method: string): ProbeAnswer {
  if (!text.startsWith("HTTP/1.1 ")) return { status: 0, headers: [], body: text === "" ? "no answer: closed" : text };
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): readonly [string, string] => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]);
  const body = method === "HEAD" ? "" : text.slice(end + 4);
  const isChunked = headers.some(([name, value]) => name === "transfer-encoding" && value.includes("chunked"));
  return { status: Number(statusLine.split(" ")[1]), headers, body: isChunked ? joinChunks(body) : body };
}

function joinChunks(body: string): string {
  let rest = body;
  let whole = "";
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || Number.isNaN(size) || size === 0) return whole;
    whole += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
}
