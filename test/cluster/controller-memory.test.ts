import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { ControllerProcess, until } from "./controller-process.ts";
import { clean, namespace, test } from "./controlled-site.ts";
import { describeCluster } from "./shared-cluster.ts";
import { addManyVirtualServices, label as manyLabel, removeManyVirtualServices } from "./many-virtual-services.ts";
import { heapPercentage, semiSpace } from "../../scripts/deploy/workload-objects.ts";
import { buildVirtualService } from "./site-objects.ts";
import type { Site } from "./site.ts";

const services = 1_000;
const releases = 200;
const mostMegabytes = 300;
/** What a Release waits for before it moves anything, and what moves as soon as it is there. */
const holds = [{ hold: {} }, { weight: 10 }, { hold: {} }, { weight: 50 }, { hold: {} }, { switch: {} }];
const moves = [{ weight: 10 }, { hold: "1s" }, { weight: 50 }, { hold: "1s" }, { switch: {} }];
const movingMs = 60_000;
const atOnce = 8;

describeCluster("a controller of a large cluster", { timeout: 600_000 }, () => {
  test("keeps 1,000 VirtualServices and 200 Releases within 300 MB", async ({ site, kubectl }) => {
    await clean(kubectl, site);
    await addManyVirtualServices(site, services - releases);
    await inTurns(releases, (index) => addReleased(site, index, holds));
    await using controller = await ControllerProcess.start(site, { identity: "one" });
    const counted = async (): Promise<number> => {
      const all = await kubectl.run(["get", "releases", "-n", namespace, "-o", "jsonpath={.items[*].status.phase}"]);
      return all.split(" ").filter((phase) => phase === "Holding").length;
    };
    let holding = 0;
    await until(async () => (holding = await counted()) === releases, {
      timeoutMs: 400_000,
      what: () => `${releases} releases that hold; ${holding} do\n${controller.lines.slice(-5).join("\n")}`,
    });
    await delay(5_000);
    const { resident, highest } = await readMemory(controller.pid);
    process.stderr.write(`controller: ${resident} MB, at most ${highest} MB\n`);
    expect(resident).toBeLessThan(mostMegabytes);
    await site.cluster.client.deleteAll(`/apis/kirikae.dev/v1alpha1/namespaces/${namespace}/releases`);
    await until(async () => (await kubectl.run(["get", "releases", "-n", namespace, "-o", "name"])) === "", {
      timeoutMs: 120_000,
      what: () => "no Release to be left",
    });
    await removeManyVirtualServices(site);
  });

  test("stays within 300 MB while 200 Releases move at the same moment, as its Deployment runs it", async ({
    site,
  }) => {
    const { client } = site.cluster;
    const heap = `--max-old-space-size=${(mostMegabytes * heapPercentage) / 100}`;
    const environment = { ...site.environment, NODE_OPTIONS: `${heap} ${semiSpace}` };
    await addManyVirtualServices(site, services - releases);
    await inTurns(releases, (index) => addReleased(site, index, moves));
    await using controller = await ControllerProcess.start({ namespace, environment }, { identity: "one" });
    const moved = (): boolean => controller.lines.some((line) => / step 1 of 5 is done/u.test(line));
    await until(moved, { timeoutMs: 120_000, what: () => `a step\n${controller.lines.slice(-5).join("\n")}` });
    await delay(movingMs);
    const { highest } = await readMemory(controller.pid);
    process.stderr.write(`controller of ${releases} Releases that move: at most ${highest} MB\n`);
    expect(highest).toBeLessThan(mostMegabytes);
    await controller[Symbol.asyncDispose]();
    await client.deleteAll(`/apis/kirikae.dev/v1alpha1/namespaces/${namespace}/releases`);
    await removeManyVirtualServices(site);
  });
});

async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of waiting) await work(index);
    }),
  );
}

/** A VirtualService of its own, and a Release of it. */
async function addReleased(site: Site, index: number, steps: readonly object[]): Promise<void> {
  const { client } = site.cluster;
  await client.apply(releasedService(site, index));
  await client.apply({
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name: `release-${index}`, namespace },
    spec: {
      routes: [{ virtualService: `released-${index}`, route: "public" }],
      to: "green",
      strategy: { steps },
    },
  });
}

function releasedService(site: Site, index: number) {
  const app = buildVirtualService(site.shape);
  const spec = {
    ...Object(app["spec"]),
    hosts: [`released-${index}.many.${namespace}.example.com`],
    gateways: ["many"],
  };
  const metadata = { ...app.metadata, name: `released-${index}`, labels: { [manyLabel]: "" } };
  return { ...app, metadata, spec };
}

/** Of a process, in MB: now, and the most that it ever was. */
async function readMemory(pid: number): Promise<{ readonly resident: number; readonly highest: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const read = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(status)?.[1] ?? 0) / 1_024);
  return { resident: read("VmRSS"), highest: read("VmHWM") };
}
