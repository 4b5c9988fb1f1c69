import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AccessLogEntry, parseAccessLogs } from "./access-log-entry.ts";

/** The path of `AccessLogService.StreamAccessLogs`. */
export const accessLogPath = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";

const frameHeaderBytes = 5;
/** Envoy's buffer is 64 kB; far more than that is not a message of Envoy. */
const maxMessageBytes = 16 * 1024 * 1024;

export interface AccessLogHooks {
  /** Called once for a message. */
  onEntries(entries: readonly AccessLogEntry[]): void;
  /** Called when a stream was closed because it could not be read. */
  onMalformed(message: string): void;
}

/**
 * Serves Envoy's stream of access logs straight from the gRPC frames (gRPC over HTTP2: one byte of flags, four of
 * length). Answers only when the stream ends. Envoy opens another one when this one is closed.
 */
export function serveAccessLogs(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  hooks: AccessLogHooks,
): void {
  const frames = new FrameReader();
  response.writeHead(200, { "content-type": "application/grpc", trailer: "grpc-status" });
  request.on("data", (chunk: Buffer) => {
    if (request.stream.destroyed) return;
    const messages = parseOrReport(() => frames.take(chunk).map(parseAccessLogs), hooks);
    if (messages === undefined) request.stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    else for (const entries of messages) hooks.onEntries(entries);
  });
  request.on("end", () => {
    response.addTrailers({ "grpc-status": "0" });
    response.end();
  });
}

/** Whatever a decoder throws is about bytes that came from outside. */
function parseOrReport<Parsed>(parse: () => Parsed, hooks: AccessLogHooks): Parsed | undefined {
  try {
    return parse();
  } catch (error) {
    hooks.onMalformed(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Cuts complete messages out of chunks; each byte is copied at most once, however small the chunks are. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** How many bytes there must be before it is worth looking again. */
  #wanted = frameHeaderBytes;

  /** @throws Error when this is not plain gRPC. */
  take(chunk: Buffer): readonly Uint8Array[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const messages: Uint8Array[] = [];
    if (this.#bytes >= this.#wanted) {
      const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
      const rest = cutFrames(bytes, messages);
      this.#chunks = rest.bytes.length === 0 ? [] : [rest.bytes];
      this.#bytes = rest.bytes.length;
      this.#wanted = rest.wanted;
    }
    return messages;
  }
}

function cutFrames(bytes: Buffer, messages: Uint8Array[]): { readonly bytes: Buffer; readonly wanted: number } {
  let offset = 0;
  while (bytes.length - offset >= frameHeaderBytes) {
    if (bytes[offset] !== 0) throw new Error("a message is compressed, which was not agreed on");
    const length = bytes.readUInt32BE(offset + 1);
    if (length > maxMessageBytes) throw new Error(`a message of ${length} bytes is no access log`);
    const end = offset + frameHeaderBytes + length;
    if (bytes.length < end) return { bytes: bytes.subarray(offset), wanted: frameHeaderBytes + length };
    messages.push(bytes.subarray(offset + frameHeaderBytes, end));
    offset = end;
  }
  return { bytes: bytes.subarray(offset), wanted: frameHeaderBytes };
}
