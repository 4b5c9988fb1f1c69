import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { expect, test, vi } from "vitest";
import { startDemoTraffic } from "./demo-traffic.ts";

test("sends requests for the host over few connections, some of them with the preview header", async () => {
  await using gateway = await startGateway();
  await using traffic = startDemoTraffic({
    address: gateway.address,
    host: "sample.hoge.com",
    requestsPerSecond: 200,
    previewHeader: { name: "x-version", value: "green" },
  });
  await vi.waitFor(() => expect(gateway.requests.length).toBeGreaterThan(40), 5_000);
  expect(gateway.requests.every((request) => request.headers.host === "sample.hoge.com")).toBe(true);
  const previews = gateway.requests.filter((request) => request.headers["x-version"] === "green").length;
  expect(previews).toBeGreaterThan(0);
  expect(previews).toBeLessThan(gateway.requests.length / 2);
  expect(new Set(gateway.requests.map((request) => request.socket)).size).toBeLessThanOrEqual(8);
});

test("stops sending once disposed, with requests still unanswered", async () => {
  await using gateway = await startGateway({ answers: false });
  const traffic = startDemoTraffic({ address: gateway.address, host: "a.example.com", requestsPerSecond: 200 });
  await vi.waitFor(() => expect(gateway.requests.length).toBeGreaterThan(3), 5_000);
  await traffic[Symbol.asyncDispose]();
  const count = gateway.requests.length;
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  expect(gateway.requests.length).toBe(count);
});

test("goes on when nothing listens yet, and reaches the gateway once it does", async () => {
  const first = await startGateway();
  const { address } = first;
  await first[Symbol.asyncDispose]();
  await using traffic = startDemoTraffic({ address, host: "a.example.com", requestsPerSecond: 200 });
  await using gateway = await startGateway({ port: Number(address.split(":")[1]) });
  await vi.waitFor(() => expect(gateway.requests.length).toBeGreaterThan(3), 5_000);
});

interface GatewayOptions {
  readonly answers?: boolean;
  readonly port?: number;
}

async function startGateway(options: GatewayOptions = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (options.answers ?? true) response.end("blue\n");
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  return {
    address: `127.0.0.1:${bound.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
