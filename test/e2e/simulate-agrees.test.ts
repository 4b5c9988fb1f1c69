import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { simulate } from "../../src/core/routes/simulate.ts";
import type { SimulatedRequest, SimulationResult } from "../../src/core/routes/simulation.ts";
import { routeCases, type Upstream, upstreams } from "../arbitrary/route-request.ts";
import { tableOf } from "../arbitrary/table-of.ts";
import { XdsFixture } from "./xds-fixture.ts";

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
}

test(`simulate and Envoy agree on ${meshes} random meshes with ${requestsEach} requests each`, async () => {
  await using stack = new AsyncDisposableStack();
  const ports = new Map<Upstream, number>();
  for (const name of upstreams) ports.set(name, await startUpstream(name, stack));
  const fixture = stack.use(await XdsFixture.open());
  const target = await fixture.startTarget();
  await fixture.startEnvoy("envoy-1", { concurrency: 1 });
  let isConfirmed = false;
  const cases = routeCases({
    addressOf: (name) => ({ address: "127.0.0.1", port: ports.get(name) ?? 0 }),
    requests: requestsEach,
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ yaml, requests }) => {
      const { table } = tableOf(yaml);
      if (table.listeners.length === 0) return;
      const report = await target.applyTable(table, new Map());
      if (!isConfirmed) {
        expect(await target.confirm({ timeoutMs: 20_000 })).toMatchObject({ kind: "applied" });
        isConfirmed = true;
      } else {
        expect(report).toMatchObject({ kind: "applied" });
      }
      for (const request of requests) {
        const seen = await send(fixture.port, request);
        const { result, steps } = simulate(table, request);
        if (!agrees(result, seen)) {
          const said = { result: { ...result, route: undefined, virtualHost: undefined }, seen, request, steps };
          throw new Error(`simulate and Envoy differ\n${JSON.stringify(said, undefined, 1)}`);
        }
      }
    }),
    { numRuns: meshes, endOnFailure: false },
  );
}, 240_000);

function agrees(result: SimulationResult, seen: Seen): boolean {
  switch (result.kind) {
    case "miss":
      return seen.status === 404 && seen.direct === undefined && seen.upstream === undefined;
    case "rejected":
      return seen.status === result.status && seen.upstream === undefined;
    case "redirect":
      return seen.status === result.status && seen.location === result.location;
    case "direct":
      return seen.status === result.status && seen.direct === Buffer.from(result.body).toString();
    case "route": {
      if (result.failure !== undefined) return seen.status === result.failure.status && seen.upstream === undefined;
      const names = result.arms.map(({ arm }) => upstreamOf(arm.destination));
      return (
        names.includes(seen.upstream ?? "") && seen.target === result.target && seen.authority === result.authority
      );
    }
  }
}

/** `outbound|8080|blue|u1.default.svc.cluster.local` is served by `u1-blue`. */
function upstreamOf(destination: string): string {
  const [, , subset = "", host = ""] = destination.split("|");
  const name = host.split(".")[0] ?? "";
  return subset === "" ? name : `${name}-${subset}`;
}

async function startUpstream(name: string, stack: AsyncDisposableStack): Promise<number> {
  const server: Server = createServer((request, response) => {
    request.resume();
    const seen = JSON.stringify({ upstream: name, target: request.url, authority: request.headers.host });
    response.writeHead(200, { "x-seen": Buffer.from(seen).toString("base64") }).end();
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
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const length = Number(/\r\ncontent-length: (?<length>\d+)/i.exec(text)?.groups?.["length"] ?? 0);
    if (end >= 0 && text.length >= end + 4 + length) break;
  }
  return text;
}

function parseAnswer(text: string): Seen {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map(lines.map((line) => [line.split(":")[0]?.toLowerCase(), line.slice(line.indexOf(":") + 2)]));
  const status = Number(statusLine.split(" ")[1]);
  const body = rest.join("\r\n\r\n");
  const seen = headers.get("x-seen");
  const upstream = seen === undefined ? {} : (JSON.parse(Buffer.from(seen, "base64").toString()) as object);
  return {
    status,
    location: headers.get("location"),
    direct: body.startsWith("direct") ? body : undefined,
    ...upstream,
  };
}
