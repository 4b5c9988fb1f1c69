import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { AddressRule } from "../local/limit-addresses.ts";

export interface JudgeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** From the beginning to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Says which addresses may be asked; absent is all. */
  readonly addresses?: AddressRule | undefined;
}

export interface JudgeResponse {
  readonly status: number;
  readonly body: string;
}

/** A judge's answer is a number or two; what is longer is something else. */
const mostBytes = 4 * 1024 * 1024;

/**
 * Sends one request on a connection of its own. Redirects are not followed: the secret that goes with the request was
 * meant for this address alone.
 * @throws Error with what went wrong in words that name the host and no more of the address
 */
export async function sendRequest({
  url,
  method,
  headers,
  body,
  timeoutMs,
  signal,
  addresses,
}: JudgeRequest): Promise<JudgeResponse> {
  const where = new URL(url);
  const { protocol, host } = where;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const limited = addresses?.(where) ?? {};
    return await new Promise<JudgeResponse>((resolve, reject) => {
      const send = protocol === "https:" ? requestHttps : requestHttp;
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const options = { ...limited, method, agent: false as const, signal: AbortSignal.any([signal, limit]) };
      const sent = send(url, { ...options, headers: { accept: "application/json", ...headers, ...length } });
      sent.on("response", (response) => readBody(response, resolve, reject));
      sent.on("error", reject);
      sent.end(body);
    });
  } catch (error) {
    const reason = limit.aborted ? `no answer within ${timeoutMs / 1_000} s` : describeFailure(error);
    throw new Error(`${host} could not be asked: ${reason}`, { cause: error });
  }
}

function describeFailure(error: unknown): string {
  return error instanceof KirikaeError ? `${error.code} ${error.message}` : errorText(error);
}

function readBody(
  response: IncomingMessage,
  resolve: (answer: JudgeResponse) => void,
  reject: (reason: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > mostBytes) response.destroy(new Error(`its answer is longer than ${mostBytes} bytes`));
  });
  response.on("error", reject);
  response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
}
