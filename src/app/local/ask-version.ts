import { createHash } from "node:crypto";
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { ComparedAnswer } from "../../core/release/mirror/compare-answers.ts";
import { copyTargetHeader } from "../../core/envoy/names.ts";
import type { DestinationId } from "../../core/routes/route-table.ts";

/** A copied request, whole. */
export interface CopiedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskOptions {
  /** Where the proxy takes copies. */
  readonly socketPath: string;
  readonly agent: Agent;
  /** The cluster that is to answer. */
  readonly to: DestinationId;
  readonly timeoutMs: number;
}

export type VersionReply =
  | { readonly kind: "answered"; readonly answer: ComparedAnswer; readonly durationMs: number }
  | { readonly kind: "timeout" }
  /** The proxy could not be asked, or broke off. */
  | { readonly kind: "unasked" };

/** Of longer bodies only the hash is kept. */
const keptBodyBytes = 512 * 1024;

/** What a proxy would take from a version, and more than Node would by itself. */
const maxHeaderSize = 128 * 1024;

/** Sends a copy to one version, through the proxy, and reads the whole answer. */
export async function askVersion(copy: CopiedRequest, options: AskOptions): Promise<VersionReply> {
  const startedMs = performance.now();
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const answer = await readAnswer(await send(copy, { ...options, signal }));
    return { kind: "answered", answer, durationMs: performance.now() - startedMs };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { kind: signal.aborted ? "timeout" : "unasked" };
  }
}

function send(
  { method, path, headers, body }: CopiedRequest,
  { socketPath, agent, to, signal }: AskOptions & { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request({
    socketPath,
    agent,
    method,
    path,
    signal,
    maxHeaderSize,
    headers: {
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name))),
      // So that bodies can be compared by what they say.
      "accept-encoding": "identity",
      [copyTargetHeader]: to,
      ...(body.length > 0 ? { "content-length": body.length } : {}),
    },
  });
  sent.on("response", resolve);
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

/** Of the connection that the copy came by, and not of the request: RFC 9110, section 7.6.1. */
const ownHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

async function readAnswer(response: IncomingMessage): Promise<ComparedAnswer> {
  const hash = createHash("sha256");
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue;
    hash.update(chunk);
    length += chunk.length;
    if (length <= keptBodyBytes) kept.push(chunk);
  }
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return {
    status: response.statusCode ?? 0,
    headers,
    bodyHash: hash.digest("hex"),
    body: length <= keptBodyBytes ? Buffer.concat(kept).toString() : undefined,
  };
}
