import type { Socket } from "node:net";
import type { ApiErrorBody } from "./api-error.ts";
import { securityHeaders } from "./security-headers.ts";

/** Answers what is not HTTP, too large in its head, or too slow to arrive, and hangs up. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, message } = describe(error.code);
  const body: ApiErrorBody = { code: "KIR5054", message, hint: null, details: {}, exitStatus: 2 };
  const text = JSON.stringify(body);
  const headers = { ...securityHeaders, "content-type": "application/json; charset=utf-8", connection: "close" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join("")}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  // The other side may never close its half.
  socket.destroySoon();
}

function describe(code: string | undefined): { readonly status: string; readonly message: string } {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return { status: "408 Request Timeout", message: "The request did not arrive in time." };
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return { status: "431 Request Header Fields Too Large", message: "The request's head is too large." };
  }
  return { status: "400 Bad Request", message: "This is not an HTTP request." };
}
