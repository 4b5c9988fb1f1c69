import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { CaseRequest } from "./case-file.ts";
import type { Credentials } from "./credentials.ts";
import { type EchoBackends, type SeenRequest, tagHeader } from "./echo-backends.ts";
import { intendedDifferences } from "./intended-differences.ts";
import { type ProbeAnswer, readBanner, sendRequest } from "./probe.ts";

/** What came of a request, without what differs from run to run. */
export interface Outcome {
  readonly status: number;
  /** Of the answer, sorted by name. */
  readonly headers: readonly string[];
  /** What a proxy answered by itself; undefined where a backend answered. */
  readonly body: string | undefined;
  readonly request: SeenRequest | undefined;
  /** Every backend that saw it, sorted: retries and mirrors are there too. */
  readonly seenBy: readonly string[];
  /** The name in the certificate that the client was shown. */
  readonly certificate?: string | undefined;
}

export interface AskOptions {
  readonly backends: EchoBackends;
  readonly entryOf: (request: CaseRequest) => Promise<Entry>;
  readonly credentials: Credentials;
}

/** Where on this machine a request goes in. */
export interface Entry {
  readonly port: number;
  /** Clients of an HTTP proxy name the host before the path. */
  readonly isProxy?: boolean;
}

/** Ids, times, and what depends on the machine's ports. */
const answerNoise = new Set(["date", "x-envoy-upstream-service-time", "content-length", "connection", "server"]);
const requestNoise = new Set([
  "x-request-id",
  tagHeader,
  "content-length",
  ...intendedDifferences.flatMap(({ seenIn }) => (seenIn.kind === "requestHeader" ? [seenIn.name] : [])),
]);
const mirrorWaitMs = 1_000;

/** Sends a request once. */
export async function ask(request: CaseRequest, options: AskOptions): Promise<Outcome> {
  const { port, isProxy = false } = await options.entryOf(request);
  const serverName = request.authority.replace(/:\d+$/, "");
  const isTls = request.scheme === "https" || request.scheme === "tls";
  const client = request.client === undefined ? undefined : options.credentials.get(request.client);
  const tls = isTls ? { tls: { serverName, client } } : {};
  if (request.scheme === "tcp" || request.scheme === "tls") {
    const banner = await readBanner({ port, ...tls });
    return { status: 0, headers: [], body: banner, request: undefined, seenBy: [] };
  }
  const tag = randomUUID();
  const { method, target, authority, headers } = request;
  const answer = await sendRequest({
    port,
    method,
    target: isProxy ? `http://${authority}${target}` : target,
    authority,
    ...tls,
    headers: [...headers, [tagHeader, tag]],
  });
  if (request.isMirrored) await whenSeenTwice(options.backends, tag);
  return summarize(answer, options.backends.seenBy(tag));
}

async function whenSeenTwice(backends: EchoBackends, tag: string): Promise<void> {
  const deadline = performance.now() + mirrorWaitMs;
  while (backends.seenBy(tag).length < 2 && performance.now() < deadline) await delay(10);
}

function summarize(answer: ProbeAnswer, seenBy: readonly string[]): Outcome {
  const headers = answer.headers
    .filter(([name]) => !answerNoise.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .toSorted();
  const request = parseSeen(answer);
  const isMissing = isWithoutUpstream(answer);
  const body = request === undefined ? answer.body : undefined;
  return {
    status: answer.status,
    headers: isMissing ? [] : headers,
    body: isMissing ? "" : body,
    request,
    seenBy: seenBy.toSorted(),
    certificate: answer.certificate,
  };
}

/** See `missing-among-others` in the list of intended differences: an empty 503 and this one are the same. */
function isWithoutUpstream({ status, headers, body }: ProbeAnswer): boolean {
  const type = headers.find(([name]) => name === "content-type")?.[1];
  return status === 503 && body === "no healthy upstream" && type === "text/plain";
}

/** The order counts among values of one name only. */
function parseSeen({ headers, body }: ProbeAnswer): SeenRequest | undefined {
  const isSeen = headers.some(([name, value]) => name === "content-type" && value === "application/json");
  // A HEAD request has no answer to read: who saw it is known by its tag.
  if (!isSeen || body === "") return undefined;
  const seen = JSON.parse(body) as SeenRequest;
  const kept = seen.headers.filter(([name]) => !requestNoise.has(name));
  return { ...seen, headers: kept.toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)) };
}
