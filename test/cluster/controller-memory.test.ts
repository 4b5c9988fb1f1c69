import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { ControllerProcess, until } from "./controller-process.ts";
import { clean, namespace, test } from "./controlled-site.ts";
import { describeCluster } from "./shared-cluster.ts";
import { addManyVirtualServices, label as manyLabel, removeManyVirtualServices } from "./many-virtual-services.ts";
import { buildVirtualService } from "./site-objects.ts";
import type { Site } from "./site.ts";

const services = 1_000;
const releases = 200;
const mostMegabytes = 300;
const atOnce = 8;

describeCluster("a controller of a large cluster", { timeout: 600_000 }, () => {
  test("keeps 1,000 VirtualServices and 200 Releases within 300 MB", async ({ site, kubectl }) => {
    await clean(kubectl, site);
    await addManyVirtualServices(site, services - releases);
    await inTurns(releases, (index) => addReleased(site, index));
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
});

async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of waiting) await work(index);
    }),
  );
}

/** A VirtualService of its own, and a Release of it that waits before it moves anything. */
async function addReleased(site: Site, index: number): Promise<void> {
  const { client } = site.cluster;
  await client.apply(releasedService(site, index));
  await client.apply({
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name: `release-${index}`, namespace },
    spec: {
      routes: [{ virtualService: `released-${index}`, route: "public" }],
      to: "green",
      strategy: { steps: [{ hold: {} }, { weight: 10 }, { hold: {} }, { weight: 50 }, { hold: {} }, { switch: {} }] },
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
