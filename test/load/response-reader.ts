/** What the load process keeps of an answer. */
export interface ResponseHead {
  readonly status: number;
  /** Undefined when the answer does not name its version. */
  readonly version: string | undefined;
  /** False when the server closes the connection after this answer. */
  readonly keepsAlive: boolean;
}

type Body =
  | { readonly kind: "length"; remaining: number }
  | { readonly kind: "chunked"; readonly scanner: ChunkScanner }
  | { readonly kind: "untilClose" };

const headEnd = Buffer.from("\r\n\r\n");
const maximumHeadBytes = 64 * 1024;

/** Reads HTTP/1.1 answers off one connection, one at a time (RFC 9112), and drops their bodies. */
export class ResponseReader {
  readonly #versionHeader: string;
  #pending: Buffer | undefined;
  #head: ResponseHead | undefined;
  #body: Body | undefined;

  constructor(versionHeader: string) {
    this.#versionHeader = versionHeader;
  }

  /** Returns the answer once its last byte has come; throws for bytes that are no HTTP answer. */
  read(chunk: Buffer): ResponseHead | undefined {
    if (this.#head !== undefined) return this.#readBody(chunk);
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    const end = bytes.indexOf(headEnd);
    if (end < 0) {
      if (bytes.length > maximumHeadBytes) throw new Error("answer head too long");
      this.#pending = bytes;
      return undefined;
    }
    this.#pending = undefined;
    const head = this.#parseHead(bytes.toString("latin1", 0, end + 2));
    // An interim answer (100, 103) comes before the real one.
    if (head.status < 200) return this.read(bytes.subarray(end + headEnd.length));
    this.#head = head;
    return this.#readBody(bytes.subarray(end + headEnd.length));
  }

  /** The answer that ends with the connection; undefined when the connection died inside an answer. */
  readEnd(): ResponseHead | undefined {
    return this.#body?.kind === "untilClose" ? this.#finish() : undefined;
  }

  #parseHead(text: string): ResponseHead {
    const status = Number(text.slice(9, 12));
    if (!text.startsWith("HTTP/1.") || !(status >= 100 && status <= 599)) throw new Error("not an HTTP answer");
    const lower = text.toLowerCase();
    const at = headerStart(lower, this.#versionHeader);
    const version = at < 0 ? undefined : text.slice(at, text.indexOf("\r\n", at)).trim();
    const connection = headerValue(lower, "connection");
    this.#body = bodyOf(lower, status);
    const closes = this.#body.kind === "untilClose" || (connection ?? "").includes("close");
    return { status, version, keepsAlive: !closes && text.startsWith("HTTP/1.1") };
  }

  #readBody(chunk: Buffer): ResponseHead | undefined {
    const body = this.#body;
    if (body === undefined) throw new Error("an answer's body without its head");
    switch (body.kind) {
      case "length":
        body.remaining -= chunk.length;
        if (body.remaining < 0) throw new Error("more bytes than the answer announced");
        return body.remaining === 0 ? this.#finish() : undefined;
      case "chunked":
        return body.scanner.scan(chunk) ? this.#finish() : undefined;
      case "untilClose":
        break;
    }
    return undefined;
  }

  #finish(): ResponseHead | undefined {
    const head = this.#head;
    this.#head = undefined;
    this.#body = undefined;
    return head;
  }
}

function headerStart(lowerHead: string, name: string): number {
  const at = lowerHead.indexOf(`\r\n${name}:`);
  return at < 0 ? -1 : at + name.length + 3;
}

function headerValue(lowerHead: string, name: string): string | undefined {
  const at = headerStart(lowerHead, name);
  return at < 0 ? undefined : lowerHead.slice(at, lowerHead.indexOf("\r\n", at)).trim();
}

function bodyOf(lowerHead: string, status: number): Body {
  if (status === 204 || status === 304) return { kind: "length", remaining: 0 };
  if (headerValue(lowerHead, "transfer-encoding")?.endsWith("chunked") === true) {
    return { kind: "chunked", scanner: new ChunkScanner() };
  }
  const length = headerValue(lowerHead, "content-length");
  return length === undefined ? { kind: "untilClose" } : { kind: "length", remaining: Number(length) };
}

/** Finds the end of a chunked body (RFC 9112 section 7.1), byte by byte, whatever way the bytes are cut. */
class ChunkScanner {
  #state: "size" | "data" | "trailer" = "size";
  #line = "";
  #remaining = 0;

  /** True once the last chunk and its trailer are over. */
  scan(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at++) {
      if (this.#state === "data") {
        const skip = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= skip;
        at += skip - 1;
        if (this.#remaining === 0) this.#state = "size";
        continue;
      }
      const code = bytes[at];
      if (code !== 0x0a) {
        if (code !== 0x0d) this.#line += String.fromCharCode(code ?? 0);
        continue;
      }
      if (this.#takeLine()) return true;
    }
    return false;
  }

  #takeLine(): boolean {
    const line = this.#line;
    this.#line = "";
    if (this.#state === "trailer") return line === "";
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) throw new Error("bad chunk size");
    // The line break after the chunk's data belongs to the data.
    this.#remaining = size + 2;
    this.#state = size === 0 ? "trailer" : "data";
    return false;
  }
}
