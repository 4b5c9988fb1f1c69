import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, vi } from "vitest";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import { createPodReach } from "../../src/kubernetes/create-pod-reach.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import type { Cluster } from "./cluster.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const namespace = "kube-reach";
const port = 15_000;
const long = "日本語 and more\n".repeat(200_000);

/** What a proxy's admin interface looks like from outside. */
async function listen(server: Server, place: { readonly host: string; readonly port: number } | string) {
  server.listen(place);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

function adminServer(): Server {
  return createServer((request, response) => {
    if (request.url === "/long") response.end(long);
    else if (request.url === "/missing") response.writeHead(404).end();
    else if (request.url === "/never") return;
    else response.end(`${request.method} ${request.url}`);
  });
}

async function addPod(cluster: Cluster, name: string): Promise<string> {
  const address = cluster.place.takeAddress();
  await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await cluster.pods?.add({ namespace, name, labels: { app: name }, address });
  return address;
}

function connect(cluster: Cluster, context = "admin"): Promise<KubeApi> {
  return connectKube({ kubeconfig: cluster.api.kubeconfig, context, env: {} });
}

const place = (name: string) => ({ pod: { namespace, name }, port });

describeCluster("pods and a real API server with a kubelet", () => {
  test.beforeAll(async ({ cluster }) => {
    await cluster.restore();
  });

  test("a pod's port is asked by port-forward, for long answers and for many at once", async ({ cluster }) => {
    const address = await addPod(cluster, "asked");
    await using served = await listen(adminServer(), { host: address, port });
    await using api = await connect(cluster);
    await using reach = createPodReach({ api });
    expect(await reach.get(place("asked"), "/config_dump?resource=dynamic_route_configs")).toBe(
      "GET /config_dump?resource=dynamic_route_configs",
    );
    expect(await reach.get(place("asked"), "/long")).toBe(long);
    const paths = Array.from({ length: 20 }, (_each, index) => `/stats?n=${index}`);
    const answers = await Promise.all(paths.map((path) => reach.get(place("asked"), path)));
    expect(answers).toEqual(paths.map((path) => `GET ${path}`));
  });

  test("questions in a row share a connection, and one that has ended meanwhile is made anew", async ({ cluster }) => {
    const address = await addPod(cluster, "kept");
    const server = adminServer();
    let connections = 0;
    server.on("connection", () => (connections += 1));
    await using served = await listen(server, { host: address, port });
    await using api = await connect(cluster);
    await using reach = createPodReach({ api });
    for (let index = 0; index < 10; index += 1) {
      expect(await reach.get(place("kept"), `/stats?n=${index}`)).toBe(`GET /stats?n=${index}`);
    }
    expect(connections).toBe(1);
    server.closeAllConnections();
    expect(await reach.get(place("kept"), "/again")).toBe("GET /again");
    expect(connections).toBe(2);
    await reach[Symbol.asyncDispose]();
    await expect(reach.get(place("kept"), "/closed")).rejects.toThrow("aborted");
    await vi.waitFor(async () => expect(await promisify(server.getConnections.bind(server))()).toBe(0), 10_000);
  });

  test("what cannot be reached says every way that was tried and why each failed", async ({ cluster }) => {
    await addPod(cluster, "deaf");
    await using api = await connect(cluster);
    await using reach = createPodReach({ api });
    const refused = await reach.get(place("deaf"), "/").catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "KIR4010", details: { tried: [{ way: "port-forward" }, { way: "proxy" }] } });
    expect(String(refused)).toMatch(
      /port 15000 of pod kube-reach\/deaf cannot be reached \(by port-forward: .*refused/u,
    );
    const absent = await reach.get(place("absent"), "/").catch((error: unknown) => error);
    expect(String(absent)).toContain('pods "absent" not found');
    await using nobody = await connect(cluster, "nobody");
    await using powerless = createPodReach({ api: nobody });
    const forbidden = await powerless.get(place("deaf"), "/").catch((error: unknown) => error);
    expect(String(forbidden)).toContain("not allowed to create pods/portforward in namespace kube-reach");
    const path = "/api/v1/namespaces/kube-reach/pods/deaf:15000/proxy/";
    expect(String(forbidden)).toContain(`through the API server's proxy: not allowed to get ${path}: `);
  });

  test("a pod that answers with an error or not in time is not reached", async ({ cluster }) => {
    const address = await addPod(cluster, "slow");
    await using served = await listen(adminServer(), { host: address, port });
    await using api = await connect(cluster);
    await using reach = createPodReach({ api });
    await expect(reach.get(place("slow"), "/missing")).rejects.toThrow("by port-forward: answered 404");
    await expect(reach.get(place("slow"), "/never", { timeoutMs: 300 })).rejects.toThrow("no answer within 0.3 s");
    const signal = AbortSignal.timeout(200);
    await expect(reach.get(place("slow"), "/never", { signal })).rejects.toThrow("timeout");
    expect(await reach.get(place("slow"), "/ready")).toBe("GET /ready");
  });

  test("an address that somebody has named is asked, and nothing else", async ({ cluster }) => {
    const folder = await mkdtemp(join(tmpdir(), "kirikae-reach-"));
    const socket = join(folder, "admin.sock");
    await using served = await listen(adminServer(), socket);
    await using api = await connect(cluster, "nobody");
    const direct = new Map([
      [`named.${namespace}`, "http://127.0.0.1:1"],
      [`named.${namespace}:${port}`, `unix:${socket}`],
    ]);
    await using reach = createPodReach({ api, direct });
    expect(await reach.get(place("named"), "/stats")).toBe("GET /stats");
    const other = reach.get({ ...place("named"), port: 15_014 }, "/stats");
    await expect(other).rejects.toMatchObject({ code: "KIR4010", details: { tried: [{ way: "direct" }] } });
    await rm(folder, { recursive: true });
  });
});
