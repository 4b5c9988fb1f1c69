import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import * as fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { mutateHeaders } from "../../src/core/routes/mutate-headers.ts";
import { simulate } from "../../src/core/routes/simulate.ts";
import type { SimulatedArm, SimulatedRequest, SimulationResult } from "../../src/core/routes/simulation.ts";
import { comparedHeaders } from "../arbitrary/header-changes.ts";
import { routeCases, type Upstream, upstreams } from "../arbitrary/route-request.ts";
import { tableOf } from "../arbitrary/table-of.ts";
import { freePort, XdsFixture } from "./xds-fixture.ts";

const meshes = Number(process.env["KIRIKAE_AGREEMENT_MESHES"] ?? 60);
const requestsEach = 40;

/** What a client can see of an answer, and for a forwarded request what its upstream saw. */
interface Seen {
  readonly status: number;
  readonly location?: string | undefined;
  readonly direct?: string | undefined;
  readonly upstream?: string;
  readonly target?: string;
  readonly authority?: string;
  /** Of the headers that are compared. */
  readonly answerHeaders: Headers;
  readonly requestHeaders?: Headers;
}

type Headers = SimulatedRequest["headers"];

test(`simulate and Envoy agree on ${meshes} random meshes with ${requestsEach} requests each`, async () => {
  await using stack = new AsyncDisposableStack();
  const ports = new Map<Upstream, number>();
  for (const name of upstreams) ports.set(name, await startUpstream(name, stack));
  const fixture = stack.use(await XdsFixture.open());
  const second = await freePort();
  const portOf = (port: number) => (port === 80 ? fixture.port : second);
  const target = await fixture.startTarget({ bind: ({ port }) => ({ address: "127.0.0.1", port: portOf(port) }) });
  await fixture.startEnvoy("envoy-1", { concurrency: 1 });
  await expect.poll(() => target.status()[0]?.connected, { timeout: 20_000 }).toBe(true);
  const outcomes = new Set<string>();
  const cases = routeCases({
    addressOf: (name) => ({ address: "127.0.0.1", port: ports.get(name) ?? 0 }),
    requests: requestsEach,
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ yaml, requests }) => {
      const { table } = tableOf(yaml);
      if (table.listeners.length === 0) return;
      expect(await target.applyTable(table, new Map())).toMatchObject({ kind: "applied" });
      for (const request of requests) {
        const { result, steps } = simulate(table, request);
        if (result.kind === "miss" && result.cause === "no-listener") continue;
        const seen = await send(portOf(request.port), request);
        outcomes.add(result.kind === "route" && result.failure !== undefined ? "failure" : result.kind);
        if (!agrees(result, seen)) {
          const said = { result: { ...result, route: undefined, virtualHost: undefined }, seen, request, steps };
          throw new Error(`simulate and Envoy differ\n${JSON.stringify(said, undefined, 1)}`);
        }
      }
    }),
    { numRuns: meshes, endOnFailure: false },
  );
  // Agreement is worth something only where every kind of answer was met, as it is by sixty meshes.
  const kinds = ["direct", "failure", "miss", "redirect", "rejected", "route"];
  expect(kinds.filter((kind) => !outcomes.has(kind) && meshes >= 60)).toEqual([]);
}, 240_000);

function agrees(result: SimulationResult, seen: Seen): boolean {
  switch (result.kind) {
    case "miss":
      return seen.status === 404 && seen.direct === undefined && seen.upstream === undefined;
    case "rejected":
      return seen.status === result.status && seen.upstream === undefined;
    case "redirect":
      return (
        seen.status === result.status &&
        seen.location === result.location &&
        isSame(seen.answerHeaders, mutateHeaders([], result.responseChanges))
      );
    case "direct":
      return (
        seen.status === result.status &&
        seen.direct === Buffer.from(result.body).toString() &&
        isSame(seen.answerHeaders, mutateHeaders([], result.responseChanges))
      );
    case "route":
      return (
        (result.failure === undefined || seen.status === result.failure.status) &&
        result.arms.some((arm) => wentTo(arm, result.target, seen))
      );
  }
}

function wentTo(arm: SimulatedArm, target: string, seen: Seen): boolean {
  const isServed = (arm.destination?.endpoints.length ?? 0) > 0;
  const answered = mutateHeaders(isServed ? upstreamHeaders : [], arm.responseChanges);
  if (!isSame(seen.answerHeaders, answered)) return false;
  if (!isServed) return seen.status === 503 && seen.upstream === undefined;
  return (
    seen.upstream === upstreamOf(arm.arm.destination) &&
    seen.target === target &&
    seen.authority === arm.authority &&
    isSame(seen.requestHeaders ?? [], arm.requestHeaders)
  );
}

/** The order counts among values of one name only. */
function isSame(left: Headers, right: Headers): boolean {
  return comparedHeaders.every((name) => isDeepStrictEqual(valuesOf(left, name), valuesOf(right, name)));
}

function valuesOf(headers: Headers, name: string): readonly string[] {
  return headers.flatMap(([each, value]) => (each.toLowerCase() === name ? [value.trim()] : []));
}

/** What every upstream answers with, for rules to change. */
const upstreamHeaders: Headers = [
  ["x-r", "up"],
  ["x-q", "up"],
];

/** `outbound|8080|blue|u1.default.svc.cluster.local` is served by `u1-blue`. */
function upstreamOf(destination: string): string {
  const [, , subset = "", host = ""] = destination.split("|");
  const name = host.split(".")[0] ?? "";
  return subset === "" ? name : `${name}-${subset}`;
}

async function startUpstream(name: string, stack: AsyncDisposableStack): Promise<number> {
  const server: Server = createServer((request, response) => {
    request.resume();
    const seen = JSON.stringify({
      upstream: name,
      target: request.url,
      authority: request.headers.host,
      requestHeaders: pairsOf(request.rawHeaders),
    });
    const headers = { ...Object.fromEntries(upstreamHeaders), "x-seen": Buffer.from(seen).toString("base64") };
    response.writeHead(200, headers).end();
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

function pairsOf(rawHeaders: readonly string[]): Headers {
  return Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    rawHeaders[2 * at] ?? "",
    rawHeaders[2 * at + 1] ?? "",
  ]);
}

/** On a raw socket, because every HTTP client mends the odd paths that this is about. */
async function send(port: number, request: SimulatedRequest): Promise<Seen> {
  const socket = connect(port, "127.0.0.1");
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    `host: ${request.authority}`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    "content-length: 0",
    "connection: close",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  return parseAnswer(await readAll(socket));
}

/** Until the answer is whole: Envoy would keep the connection for another second. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer within 10 s")));
  socket.setEncoding("latin1");
  for await (const chunk of socket) {
    text += String(chunk);
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/\r\ncontent-length: (?<length>\d+)/i.exec(text)?.groups?.["length"] ?? 0);
    if (end >= 0 && text.length >= end + 4 + length) break;
  }
  return text;
}

function parseAnswer(text: string): Seen {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const answerHeaders = lines.map((line): Headers[number] => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 2),
  ]);
  const headers = new Map(answerHeaders);
  const status = Number(statusLine.split(" ")[1]);
  const body = rest.join("\r\n\r\n");
  const seen = headers.get("x-seen");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the upstream of this very file has written it.
  const upstream = seen === undefined ? {} : (JSON.parse(Buffer.from(seen, "base64").toString()) as Partial<Seen>);
  return {
    status,
    location: headers.get("location"),
    direct: body.startsWith("direct") ? body : undefined,
    answerHeaders,
    ...upstream,
  };
}
