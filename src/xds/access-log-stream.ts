import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { type AccessLogEntry, parseAccessLogs } from "./access-log-entry.ts";

/** The path of `AccessLogService.StreamAccessLogs`. */
export const accessLogPath = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";

const frameHeaderBytes = 5;
/** Envoy's buffer is 64 kB; far more than that is not a message of Envoy. */
const maxMessageBytes = 16 * 1024 * 1024;

/**
 * Serves Envoy's stream of access logs straight from the gRPC frames (gRPC over HTTP2: one byte of flags, four of
 * length), one call of `onEntries` a message. Answers only when the stream ends.
 */
export function serveAccessLogs(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  onEntries: (entries: readonly AccessLogEntry[]) => void,
): void {
  let rest: Buffer = Buffer.alloc(0);
  response.writeHead(200, { "content-type": "application/grpc", trailer: "grpc-status" });
  request.on("data", (chunk: Buffer) => {
    const split = splitFrames(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
    if (split === undefined) {
      request.stream.close();
      return;
    }
    rest = split.rest;
    for (const message of split.messages) onEntries(parseAccessLogs(message));
  });
  request.on("end", () => {
    response.addTrailers({ "grpc-status": "0" });
    response.end();
  });
}

/** Cuts complete messages off; undefined when this is not plain gRPC. */
export function splitFrames(
  bytes: Buffer,
): { readonly messages: readonly Uint8Array[]; readonly rest: Buffer } | undefined {
  const messages: Uint8Array[] = [];
  let offset = 0;
  while (bytes.length - offset >= frameHeaderBytes) {
    const isCompressed = bytes[offset] !== 0;
    const length = bytes.readUInt32BE(offset + 1);
    if (isCompressed || length > maxMessageBytes) return undefined;
    if (bytes.length - offset - frameHeaderBytes < length) break;
    const start = offset + frameHeaderBytes;
    messages.push(bytes.subarray(start, start + length));
    offset = start + length;
  }
  return { messages, rest: bytes.subarray(offset) };
}
