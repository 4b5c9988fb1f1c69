import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createPodReach } from "./create-pod-reach.ts";
import type { KubeApi } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { PodPlace } from "./pod-reach.ts";

const place: PodPlace = { pod: { namespace: "edge", name: "gateway-1" }, port: 15_000 };
const refusal = new KubeError("KIR4005", "pods is forbidden", { exitStatus: 3, status: 403 });

const refuse = (): Promise<never> => Promise.reject(refusal);

function apiThat(calls: Partial<Pick<KubeApi, "openPort" | "getText">>): KubeApi {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two calls that lead to pods are played.
  return { openPort: refuse, getText: refuse, ...calls } as unknown as KubeApi;
}

test("a way that leads nowhere gives way to the next, and all of them are named when none leads there", async () => {
  await using reach = createPodReach({ api: apiThat({ getText: () => Promise.resolve("LIVE") }) });
  expect(await reach.get(place, "/ready")).toBe("LIVE");
  await using lost = createPodReach({ api: apiThat({}) });
  await expect(lost.get(place, "/ready")).rejects.toMatchObject({
    code: "KIR4010",
    message: expect.stringMatching(/by port-forward: pods is forbidden; through .* proxy: pods is forbidden/u),
  });
});

test("a mistake of ours is not taken for a pod that cannot be reached", async () => {
  const broken = apiThat({ getText: () => Promise.reject(new TypeError("getText is broken")) });
  await using reach = createPodReach({ api: broken });
  await expect(reach.get(place, "/ready")).rejects.toThrow(new TypeError("getText is broken"));
});

test("an address that is wrong, or gives another answer, is what the error says", async () => {
  const server = createServer((_request, response) => response.writeHead(503).end("no")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const reasons = [
    [`http://127.0.0.1:${port}`, "answered 503"],
    ["https://127.0.0.1:1", "neither http://host:port nor unix:/path"],
    ["http://a%ff:b@127.0.0.1:1", "a % that begins no character"],
    ["unix:/nowhere/at.sock", "ENOENT"],
  ] as const;
  for (const [address, why] of reasons) {
    await using reach = createPodReach({ api: apiThat({}), direct: new Map([["gateway-1.edge", address]]) });
    await expect(reach.get(place, "/ready"), address).rejects.toMatchObject({
      code: "KIR4010",
      message: expect.stringContaining(why),
    });
  }
  server.close().closeAllConnections();
});
