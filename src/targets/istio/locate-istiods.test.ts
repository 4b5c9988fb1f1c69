import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { readControlPlane } from "./control-plane.ts";
import { locateIstiods } from "./locate-istiods.ts";
import type { IstiodPlace } from "./site-view.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** What answers as an istiod would, and is none. */
async function place(listener: RequestListener, credentials = ""): Promise<IstiodPlace> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port.
  const { port } = server.address() as AddressInfo;
  return await named(`http://${credentials}127.0.0.1:${port}`);
}

async function named(url: string): Promise<IstiodPlace> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- where addresses are given nobody else is asked.
  const [found] = await locateIstiods({ api: {} as KubeApi, reach: {} as PodReach, urls: [url] });
  if (found === undefined) throw new Error("there is none");
  return found;
}

test("a name and a password in the address are sent, and told nowhere", async () => {
  let sent = "";
  const istiod = await place((asked, response) => {
    sent = asked.headers.authorization ?? "";
    response.writeHead(500).end();
  }, "ann:s3cret@");
  const { silent } = await readControlPlane([istiod]);
  expect(Buffer.from(sent.slice("Basic ".length), "base64").toString()).toBe("ann:s3cret");
  expect([...silent].flat().join(" ")).toContain("status 500");
  expect([...silent].flat().join(" ")).not.toContain("s3cret");
});

test.each(["https://ann:s3cret@istiod:15014", "ann:s3cret@istiod", "http://"])(
  "%s is no address of it",
  async (url) => {
    const refused = await named(url).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "KIR4040" });
    expect(String(refused)).not.toContain("s3cret");
  },
);

test("one that leads elsewhere is not followed", async () => {
  let isFollowed = false;
  const istiod = await place((asked, response) => {
    isFollowed ||= asked.url === "/other";
    response.writeHead(302, { location: "/other" }).end("[]");
  });
  await expect(istiod.get("/debug/syncz")).rejects.toThrow("status 302");
  expect(isFollowed).toBe(false);
});

test("one that never ends its answer has its time and no more", async () => {
  const istiod = await place((_asked, response) => {
    const timer = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(timer));
  });
  await expect(istiod.get("/debug/syncz", { timeoutMs: 200 })).rejects.toThrow("no answer within 200 ms");
});

test("one that says too much is cut off", async () => {
  const part = Buffer.alloc(4 * 1024 * 1024, "x");
  const istiod = await place((_asked, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(part));
      response.once("drain", more);
    };
    more();
  });
  await expect(istiod.get("/debug/syncz", { timeoutMs: 60_000 })).rejects.toThrow("is longer than");
});

test.each([
  "",
  "{",
  "null",
  "[]",
  "7",
  '{"a":1}',
  '[{"proxy":7}]',
  '[[[["deep"]]]]',
  '[{"proxy":"x.y","cluster_sent":[]}]',
])("%j makes nothing known, and breaks nothing", async (body) => {
  const istiod = await place((_asked, response) => response.end(body));
  const { proxies, silent, answered } = await readControlPlane([istiod]);
  expect(silent.size + answered.length).toBe(1);
  for (const { sync } of proxies.values())
    expect(Object.values(sync.types).every(({ acked }) => acked === undefined)).toBe(true);
});
