import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import type { ReleaseStatus } from "../../src/api/types.ts";
import type { Kubectl } from "./kubectl.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { publicHostOf } from "./site-objects.ts";
import { SiteReleases } from "./site-releases.ts";
import { Site } from "./site.ts";

const namespace = "probed";

const test = base.extend("site", { scope: "file" }, async ({ cluster }, { onCleanup }) => {
  const site = await Site.start({ cluster, namespace });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

const spec = `probes: { perSecond: 20, requests: [{ host: ${publicHostOf(namespace)}, path: /probed }] }
maxFailed: 0
strategy: { steps: [{ weight: 50 }, { hold: {} }] }`;

/** Answers as a gateway of Istio's does that has no route. */
async function startRoutelessGateway(): Promise<Server> {
  const server = createServer((_request, response) => response.writeHead(404, { server: "istio-envoy" }).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describeCluster("probes of a release on a site", { timeout: 120_000 }, () => {
  test("go through a pod of the gateway, and are counted in the report", async ({ site, kubectl }) => {
    const before = await countAll(site);
    await using releases = await SiteReleases.start(site);
    await releases.release("through-a-pod", spec);
    const held = await releases.whenPhase("through-a-pod", "holding");
    const { sent = 0, ...figures } = probesOf(held) ?? {};
    expect(figures).toEqual({ ok: sent, failed: 0, unsent: 0, failures: [] });
    expect(sent).toBeGreaterThan(1);
    // Nobody else asks this app meanwhile, so all that it has had is theirs.
    expect((await countAll(site)) - before).toBe(sent);
    const { stdout } = await site.kirikae(["report", "through-a-pod"]);
    expect(stdout).toContain(`requests of kirikae's own: ${sent} ok + 0 failed`);
    const { annotations } = (await readApp(kubectl)).metadata;
    expect(annotations).toMatchObject({ "kirikae.dev/moved-by": `release ${namespace}/through-a-pod` });
    await releases.tell("rollback", "through-a-pod", "--release");
    await releases.whenPhase("through-a-pod", "aborted", "rolledBack");
  });

  test("go where --gateway-address says, and a gateway without the route leaves the step unproved", async ({
    site,
  }) => {
    const gateway = await startRoutelessGateway();
    const { port } = gateway.address() as AddressInfo;
    const named = `${namespace}/app=127.0.0.1:${port}`;
    try {
      await using releases = await SiteReleases.start(site, "admin", ["--gateway-address", named]);
      await releases.release("elsewhere", spec);
      const { message } = await releases.whenPhase("elsewhere", "failed");
      const probe = `GET ${publicHostOf(namespace)}/probed`;
      expect(message).toContain(`unproved: ${probe}: answered 404 by the gateway itself`);
      await releases.tell("rollback", "elsewhere", "--release");
      await releases.whenPhase("elsewhere", "aborted", "rolledBack");
    } finally {
      gateway.close().closeAllConnections();
    }
  });
});

async function readApp(kubectl: Kubectl) {
  const app = ["virtualservice", "app", "-n", namespace];
  return await kubectl.getJson<{ readonly metadata: { readonly annotations?: Record<string, string> } }>(app);
}

async function countAll(site: Site): Promise<number> {
  const counts = await Promise.all(["blue", "green"].map((version) => site.countRequests(version)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function probesOf({ events }: ReleaseStatus) {
  return events.flatMap((event) => (event.kind === "moved" ? (event.probes ?? []) : []))[0];
}
