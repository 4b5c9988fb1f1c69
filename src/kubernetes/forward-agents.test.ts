import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { createServer, request as requestHttps } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { issueCertificate } from "../../test/certificates.fixture.ts";
import { createForwardAgents } from "./forward-agents.ts";
import type { PodPlace } from "./pod-reach.ts";

const place: PodPlace = { pod: { namespace: "edge", name: "gateway-1" }, port: 8443 };

test("https goes through the forwarded port with the name that was asked for, again and again on one connection", async () => {
  const { certificate, key } = issueCertificate({ name: "gateway" });
  const seen: string[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    seen.push(String((request.socket as { servername?: string }).servername));
    response.end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const opened: PodPlace[] = [];
  const openPort = async (wanted: PodPlace): Promise<Socket> => {
    opened.push(wanted);
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const agents = createForwardAgents({ openPort }, place, { connections: 2 });
  for (let count = 0; count < 2; count += 1) {
    const sent = requestHttps({ host: "pod", agent: agents.https, servername: "shop.example.com", path: "/" });
    sent.end();
    const [response] = await once(sent, "response");
    expect(await text(response)).toBe("hello");
  }
  expect(seen).toEqual(["shop.example.com", "shop.example.com"]);
  expect(opened).toEqual([place]);
  agents.http.destroy();
  agents.https.destroy();
  server.close().closeAllConnections();
});

function refuse(): Promise<never> {
  return Promise.reject(new Error("pods/portforward is forbidden"));
}

test("a port that cannot be forwarded is an error of the request", async () => {
  const agents = createForwardAgents({ openPort: refuse }, place, { connections: 1 });
  const plain = requestHttp({ host: "pod", agent: agents.http }).end();
  expect(String(await once(plain, "error"))).toContain("pods/portforward is forbidden");
  const secure = requestHttps({ host: "pod", agent: agents.https }).end();
  expect(String(await once(secure, "error"))).toContain("pods/portforward is forbidden");
});
