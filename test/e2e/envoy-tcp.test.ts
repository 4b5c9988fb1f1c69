import { once } from "node:events";
import { connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, test } from "vitest";
import { issueCertificate } from "../certificates.fixture.ts";
import { certificateSecret, type ListenerSketch, routeTo } from "./chain-table.ts";
import { startEcho, startTcpEcho } from "./echo-backend.ts";
import { serveTable } from "./serve-table.ts";
import { callTls, connectTls } from "./tls-client.ts";
import { buildDestination } from "./xds-fixture.ts";
import type { Destination } from "../../src/core/routes/route-table.ts";

const shop = issueCertificate({ name: "shop", hosts: ["shop.test"] });
const wild = issueCertificate({ name: "wild", hosts: ["*.wild.test"] });

function tcp(subset: string, ports: readonly number[]): Destination {
  return { ...buildDestination(subset, ports), protocol: "tcp" };
}

const listeners = (weights: Readonly<Record<string, number>>): ListenerSketch[] => [
  { port: 5432, chains: [{ tcp: weights }] },
  { port: 80, chains: [{ http: { "*": [routeTo("blue")] } }] },
];

/** Says something on a new connection; the answer until the other side ends it, or has said as much as is expected. */
async function converse(port: number, text: string, expected: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
    if (heard.length >= expected) socket.end();
  });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  // A reset is a way of saying nothing.
  socket.on("error", () => socket.destroy());
  socket.write(text);
  await closed;
  return heard;
}

test("bytes go to one destination, to several by their shares, and nowhere when there is none", async () => {
  await using blue = await startTcpEcho("blue");
  await using green = await startTcpEcho("green");
  await using served = await serveTable({
    listeners: [
      { port: 3306, chains: [{ tcp: { blue: 1 } }] },
      { port: 5432, chains: [{ tcp: { blue: 75, green: 25, idle: 0 } }] },
      { port: 6379, chains: [{ tcp: { missing: 1 } }] },
    ],
    destinations: [tcp("blue", [blue.port]), tcp("green", [green.port]), tcp("idle", [green.port])],
  });
  expect(await converse(served.local(3306), "hello", 10)).toBe("blue\nhello");
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => converse(served.local(5432), "x", 6).then((text) => text.split("\n")[0])),
  );
  const toBlue = answers.filter((answer) => answer === "blue").length;
  expect(toBlue).toBeGreaterThan(120);
  expect(toBlue).toBeLessThan(180);
  expect(new Set(answers)).toEqual(new Set(["blue", "green"]));
  expect(await converse(served.local(6379), "hello", 1)).toBe("");
});

test("TLS passes through by the name that is asked for, beside TLS that ends", async () => {
  await using behindShop = await startEcho("shop", { cert: shop.certificate, key: shop.key });
  await using behindEnd = await startTcpEcho("plain bytes");
  await using behindWild = await startEcho("wild", { cert: wild.certificate, key: wild.key });
  await using served = await serveTable({
    listeners: [
      {
        port: 443,
        chains: [
          { serverNames: ["shop.test"], tcp: { shop: 1 } },
          { serverNames: ["*.wild.test"], tcp: { wild: 1 } },
          { serverNames: ["ended.test"], tls: { certificates: ["shop"] }, tcp: { plain: 1 } },
        ],
      },
    ],
    destinations: [tcp("shop", [behindShop.port]), tcp("wild", [behindWild.port]), tcp("plain", [behindEnd.port])],
    secrets: [certificateSecret("shop", shop)],
  });
  const port = served.local(443);
  expect(await callTls({ port, name: "shop.test", trust: shop })).toMatchObject({ status: 200, shown: "shop" });
  expect(await callTls({ port, name: "a.wild.test", trust: wild })).toMatchObject({ status: 200, shown: "wild" });
  using ended = await connectTls({ port, servername: "ended.test", ALPNProtocols: ["h2", "anything"] });
  // As Istio's gateways, which offer HTTP/2 wherever they end TLS.
  expect(ended.socket.alpnProtocol).toBe("h2");
  expect(String((await once(ended.socket, "data"))[0])).toBe("plain bytes\n");
  await expect(callTls({ port, name: "other.test" })).rejects.toThrow(/disconnected|ECONNRESET|socket/);
  expect(await converse(port, "GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n", 1)).toBe("");
});

test("new shares leave connections where they are, and new connections go by the new shares", async () => {
  await using blue = await startTcpEcho("blue");
  await using green = await startTcpEcho("green");
  const destinations = [tcp("blue", [blue.port]), tcp("green", [green.port])];
  await using served = await serveTable({ listeners: listeners({ blue: 100, green: 0 }), destinations });
  const port = served.local(5432);
  const held = connect(port, "127.0.0.1");
  await once(held, "data");
  await served.change({ listeners: listeners({ blue: 0, green: 100 }), destinations });
  expect(await converse(port, "x", 7)).toBe("green\nx");
  held.write("still there");
  const [reply] = await once(held, "data");
  expect(String(reply)).toBe("still there");
  held.destroy();
});

test("a listener that does not choose by name leaves a silent client alone", async () => {
  await using talker = await startTcpEcho("220 ready");
  await using served = await serveTable({
    listeners: [{ port: 25, chains: [{ tcp: { mail: 1 } }] }],
    destinations: [tcp("mail", [talker.port])],
  });
  // The server speaks first; whoever waits for the client's first bytes would never hear it.
  const socket = connect(served.local(25), "127.0.0.1");
  const [greeting] = await once(socket, "data");
  expect(String(greeting)).toBe("220 ready\n");
  socket.destroy();
});

test("a backend that speaks TLS by itself can sit behind a plain chain", async () => {
  const server = createTlsServer({ cert: shop.certificate, key: shop.key }, (socket) => socket.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await using served = await serveTable({
    listeners: [{ port: 8443, chains: [{ tcp: { tls: 1 } }] }],
    destinations: [tcp("tls", [address.port])],
  });
  using connection = await connectTls({ port: served.local(8443), servername: "any.name" });
  const [hello] = await once(connection.socket, "data");
  expect(String(hello)).toBe("hello");
  server.close();
});
