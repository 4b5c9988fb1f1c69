import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { epochNowMs } from "./load-clock.ts";
import { summarizeLoad } from "./load-summary.ts";
import { startLoad } from "./start-load.ts";

test("records each request with its version, on keep-alive connections and on new ones", async () => {
  await using app = await listen(createServer(answerColor("blue")));
  const beforeMs = epochNowMs();
  await using load = await startLoad({
    address: app.address,
    requests: [{}],
    durationMs: 500,
    requestsPerSecond: 1_000,
    connections: 8,
    newConnectionShare: 0.25,
  });
  const { records, finished } = await load.result;
  const afterMs = epochNowMs();
  const summary = summarizeLoad(records);
  expect(summary.failures).toEqual({});
  expect(summary.byVersion).toEqual({ blue: finished.sent });
  expect(finished.sent).toBeGreaterThan(400);
  expect(finished.sent).toBeLessThanOrEqual(501);
  expect(finished.connectionsOpened).toBeGreaterThan(finished.sent / 4);
  expect(records.every((record) => record.sentMs >= beforeMs && record.doneMs <= afterMs)).toBe(true);
});

test("sends each shape of request by its share", async () => {
  await using app = await listen(
    createServer((request, response) => {
      response.setHeader("x-color", request.headers["x-version"] === "green" ? "green" : "blue").end(request.url);
    }),
  );
  await using load = await startLoad({
    address: app.address,
    requests: [
      { name: "public", share: 3 },
      { name: "preview", share: 1, headers: { "x-version": "green" } },
    ],
    durationMs: 400,
    requestsPerSecond: 500,
  });
  const { records } = await load.result;
  const previews = records.filter((record) => record.request === 1);
  expect(previews.every((record) => record.version === "green")).toBe(true);
  expect(previews.length / records.length).toBeCloseTo(0.25, 1);
});

test("counts a connection that dies under its request as a failure, and an answer of 503 too", async () => {
  await using app = await listen(
    createServer((request, response) => {
      if (request.url === "/dies") request.socket.destroy();
      else response.writeHead(503).end();
    }),
  );
  await using load = await startLoad({
    address: app.address,
    requests: [{ path: "/dies" }, { path: "/503" }],
    durationMs: 300,
    requestsPerSecond: 200,
  });
  const { records } = await load.result;
  const summary = summarizeLoad(records);
  expect(summary.failed).toBe(records.length);
  expect(Object.keys(summary.failures)).toContain("503");
  expect(Object.keys(summary.failures).some((reason) => /closed without|ECONNRESET/.test(reason))).toBe(true);
});

test("opens an idle connection again that the server closed, without a failure", async () => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nx-color: blue\r\ncontent-length: 0\r\n\r\n");
      // Long before the connection's next turn comes, and without having announced it.
      setTimeout(() => socket.end(), 10);
    });
  });
  await using app = await listen(server);
  await using load = await startLoad({
    address: app.address,
    requests: [{}],
    durationMs: 600,
    requestsPerSecond: 40,
    connections: 8,
  });
  const { records, finished } = await load.result;
  expect(summarizeLoad(records)).toMatchObject({ failed: 0, byVersion: { blue: finished.sent } });
  expect(finished.closedWhileIdle).toBeGreaterThan(8);
});

test("fails a request that gets no answer in time, and nothing is left waiting", async () => {
  await using app = await listen(createTcpServer(() => undefined));
  await using load = await startLoad({
    address: app.address,
    requests: [{}],
    durationMs: 200,
    requestsPerSecond: 50,
    requestTimeoutMs: 100,
  });
  const { records } = await load.result;
  expect(records.length).toBeGreaterThan(0);
  expect(summarizeLoad(records).failures).toEqual({ timeout: records.length });
});

test("stops when told, with everything recorded until then", async () => {
  await using app = await listen(createServer(answerColor("green")));
  await using load = await startLoad({
    address: app.address,
    requests: [{}],
    durationMs: 60_000,
    requestsPerSecond: 200,
  });
  const { records, finished } = await load.stop();
  expect(records.length).toBe(finished.sent);
  expect(await load.stop()).toEqual({ records, finished });
});

test("refuses load that would leave this machine or has no end", async () => {
  const base = { requests: [{}], durationMs: 1_000 };
  await expect(startLoad({ ...base, address: "192.0.2.1:80" })).rejects.toThrow(/127\.0\.0\.0\/8/);
  await expect(startLoad({ ...base, address: "127.0.0.1:80", durationMs: 86_400_000 })).rejects.toThrow(/durationMs/);
  await expect(startLoad({ ...base, address: "127.0.0.1:80", requestsPerSecond: 0 })).rejects.toThrow(
    /must be above 0/,
  );
});

function answerColor(color: string): RequestListener {
  return (_request, response) => {
    response.setHeader("x-color", color);
    response.end(`${color}\n`);
  };
}

async function listen(server: Server): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  return {
    address: `127.0.0.1:${bound.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
