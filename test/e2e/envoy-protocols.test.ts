import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttp2Server, connect as connectHttp2, type Http2Server } from "node:http2";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Code, ConnectError, createClient, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RuntimeDiscoveryService } from "../../src/gen/envoy/service/runtime/v3/rtds_pb.ts";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { issueCertificate } from "../certificates.fixture.ts";
import { certificateSecret, routeAt, routeTo, type TableSketch } from "./chain-table.ts";
import { startEcho } from "./echo-backend.ts";
import { serveTable } from "./serve-table.ts";
import { buildDestination } from "./xds-fixture.ts";

const certificate = issueCertificate({ name: "gateway", hosts: ["localhost", "app.test"] });

const routes = (router: ConnectRouter) =>
  router.service(RuntimeDiscoveryService, {
    fetchRuntime({ versionInfo, resourceNames }) {
      if (versionInfo === "fail") throw new ConnectError("as asked", Code.ResourceExhausted);
      return create(DiscoveryResponseSchema, { versionInfo: `${versionInfo} ${resourceNames.join(",")}` });
    },
    async *streamRuntime(requests) {
      for await (const { versionInfo } of requests) {
        yield create(DiscoveryResponseSchema, { versionInfo: `${versionInfo} streamed` });
      }
    },
  });

/** A gRPC server of a service whose messages are at hand: it answers with what it was asked, or with an error. */
async function startGrpc(): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Http2Server = createHttp2Server(connectNodeAdapter({ routes, connect: false, grpcWeb: false }));
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function gatewayTo(port: number, protocol: "http" | "http2"): TableSketch {
  const routes = [
    routeAt("/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime", "app", {
      fault: { delay: undefined, abort: { kind: "grpc", status: 8, percent: 100 } },
    }),
    routeTo("app"),
  ];
  return {
    listeners: [
      { port: 80, chains: [{ http: { "*": routes } }] },
      { port: 443, chains: [{ tls: { certificates: ["gateway"] }, http: { "*": routes } }] },
    ],
    destinations: [{ ...buildDestination("app", [port]), protocol }],
    secrets: [certificateSecret("gateway", certificate)],
  };
}

test("gRPC goes through the gateway: calls, streams, errors and faults, in plain text and with TLS", async () => {
  await using backend = await startGrpc();
  await using served = await serveTable(gatewayTo(backend.port, "http2"));
  const transports = [
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${served.local(80)}` }),
    createGrpcTransport({
      baseUrl: `https://localhost:${served.local(443)}`,
      nodeOptions: { ca: certificate.certificate },
    }),
  ];
  for (const transport of transports) {
    const client = createClient(RuntimeDiscoveryService, transport);
    const asked = create(DiscoveryRequestSchema, { versionInfo: "1", resourceNames: ["a", "b"] });
    expect((await client.fetchRuntime(asked)).versionInfo).toBe("1 a,b");
    await expect(client.fetchRuntime({ versionInfo: "fail" })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "as asked",
    });
    const streamed: string[] = [];
    for await (const { versionInfo } of client.streamRuntime(requests("x", "y"))) streamed.push(versionInfo);
    expect(streamed).toEqual(["x streamed", "y streamed"]);
    const aborted = client.deltaRuntime(noRequests());
    await expect(first(aborted)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "fault filter abort",
    });
  }
});

async function* requests(...versions: readonly string[]) {
  for (const versionInfo of versions) yield await Promise.resolve(create(DiscoveryRequestSchema, { versionInfo }));
}

async function* noRequests() {
  yield* await Promise.resolve([]);
}

async function first<Item>(items: AsyncIterable<Item>): Promise<Item | undefined> {
  for await (const item of items) return item;
  return undefined;
}

test("HTTP/2 clients reach an HTTP/1.1 backend, and many requests share one connection", async () => {
  await using backend = await startEcho("old");
  await using served = await serveTable(gatewayTo(backend.port, "http"));
  const session = connectHttp2(`http://127.0.0.1:${served.local(80)}`);
  const ask = async (path: string): Promise<unknown> => {
    const stream = session.request({ ":path": path, ":authority": "app.test" });
    stream.setEncoding("utf8");
    let body = "";
    for await (const text of stream) body += String(text);
    return JSON.parse(body);
  };
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`/${index}`)));
  expect(answers[7]).toMatchObject({ backend: "old", path: "/7", headers: { host: "app.test" } });
  session.destroy();
});

test("a WebSocket is opened through the gateway and echoes", async () => {
  const backend = createServer();
  const sockets = new Set<Socket>();
  backend.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
    sockets.add(socket);
    const key = String(incoming.headers["sec-websocket-key"]);
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    // What a client sends is masked; the same payload goes back unmasked.
    socket.on("data", (frame: Buffer) => socket.write(Buffer.concat([Buffer.from([0x81, 5]), unmask(frame)])));
  });
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  await using served = await serveTable(gatewayTo((backend.address() as AddressInfo).port, "http"));
  const socket = new WebSocket(`ws://127.0.0.1:${served.local(80)}/chat`);
  await once(socket, "open");
  socket.send("hello");
  const [message] = (await once(socket, "message")) as [MessageEvent];
  expect(message.data).toBe("hello");
  socket.close();
  for (const each of sockets) each.destroy();
  backend.close();
});

function unmask(frame: Buffer): Buffer {
  const length = (frame[1] ?? 0) & 0x7f;
  const mask = frame.subarray(2, 6);
  return Buffer.from(frame.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
}

test("HTTP/1.0 is told to come back with something newer", async () => {
  await using backend = await startEcho("any");
  await using served = await serveTable(gatewayTo(backend.port, "http"));
  const socket = connect(served.local(80), "127.0.0.1");
  socket.write("GET / HTTP/1.0\r\nhost: app.test\r\n\r\n");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 426 /);
  socket.destroy();
});
