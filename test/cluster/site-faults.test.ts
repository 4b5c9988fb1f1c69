import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { epochNowMs } from "../load/load-clock.ts";
import { readSubsets, readWeights } from "./site-reads.ts";
import { SiteReleases } from "./site-releases.ts";
import { Site, viewRecords } from "./site.ts";
import { buildDestinationRule, buildVirtualService } from "./site-objects.ts";

const namespace = "faults";

const test = base.extend("site", { scope: "file" }, async ({ cluster }, { onCleanup }) => {
  const site = await Site.start({ cluster, namespace, gateways: 2 });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

async function until(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`not within 20 s: ${what}`);
    await delay(50);
  }
}

const isWritten = (site: Site) => until(async () => (await readWeights(site))["green"] === 100, "green is written");

/** A step that cannot end: one gateway takes nothing until it goes on. */
async function switchInParts(site: Site, meanwhile: () => Promise<void>) {
  const [paused] = site.gateways;
  paused?.proxy.program.pause();
  try {
    const switching = site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    await isWritten(site);
    await meanwhile();
    paused?.proxy.program.resume();
    return await switching;
  } finally {
    paused?.proxy.program.resume();
  }
}

describeCluster("faults in the middle of a step", { timeout: 120_000 }, () => {
  test.beforeEach(async ({ cluster, site }) => {
    await cluster.restore();
    await cluster.client.apply(buildDestinationRule(site.shape));
    // Who owned its fields goes with it.
    await cluster.client.deleteIfThere(buildVirtualService(site.shape));
    await cluster.client.create(buildVirtualService(site.shape));
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
  });

  test("istiod starts anew: the step ends when it has told the proxies", async ({ cluster, site }) => {
    await using load = await site.startLoad();
    const switched = await switchInParts(site, () => cluster.istiod.program.restart());
    expect(switched, switched.stderr).toMatchObject({ exitCode: 0 });
    const view = viewRecords(await load.stop(), { doneMs: switched.endMs, now: "green" });
    expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
  });

  test("the API server is away for half a minute: the step waits for it", async ({ cluster, site }) => {
    await using load = await site.startLoad();
    const switched = await switchInParts(site, async () => {
      await cluster.api.program.stop();
      site.gateways[0]?.proxy.program.resume();
      await delay(30_000);
      await cluster.api.program.start();
    });
    // By itself, istiod would come back to the API server within half a minute.
    await cluster.istiod.program.restart();
    expect(switched, switched.stderr).toMatchObject({ exitCode: 0 });
    const view = viewRecords(await load.stop(), { doneMs: switched.endMs, now: "green" });
    expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
  });

  test("a second replica of istiod lags: the step is not done before it", async ({ cluster, site }) => {
    const second = await cluster.startIstiod("istiod-2");
    const lagging = await site.addGateway("gateway-lagging", second);
    try {
      second.program.pause();
      let isOver = false;
      const switching = site
        .kirikae(["switch", "app", "-n", namespace, "--to", "green"])
        .finally(() => (isOver = true));
      await isWritten(site);
      await site.whenAnswered(site.gateways[0] ?? lagging, (version) => version === "green");
      await delay(1_500);
      expect(isOver).toBe(false);
      expect(await site.ask(lagging)).toBe("blue");
      second.program.resume();
      const switched = await switching;
      expect(switched, switched.stderr).toMatchObject({ exitCode: 0 });
      expect(await site.ask(lagging)).toBe("green");
    } finally {
      await site.removeGateway(lagging);
      await second.program.stop();
      await cluster.pods?.remove("istio-system", "istiod-2");
    }
  });

  test("a proxy that takes nothing: the step is taken back, and names it", async ({ site }) => {
    const [paused] = site.gateways;
    await using releases = await SiteReleases.start(site);
    paused?.proxy.program.pause();
    try {
      await releases.release("stays", "proof: { timeout: 3s }\nstrategy: { blueGreen: {} }");
      const { message } = await releases.whenPhase("stays", "failed");
      expect(message).toContain("gateway-1.faults");
      expect(await readWeights(site)).toMatchObject({ blue: 100 });
    } finally {
      paused?.proxy.program.resume();
    }
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
    await releases.tell("abort", "stays");
  });

  test("killed between DestinationRule and VirtualService: the next process goes on", async ({ site, cluster }) => {
    await cluster.client.apply(buildDestinationRule({ ...site.shape, versions: ["blue"] }));
    await using releases = await SiteReleases.start(site);
    const [paused] = site.gateways;
    paused?.proxy.program.pause();
    try {
      await using load = await site.startLoad();
      await releases.release("resumed", addGreen);
      await until(async () => (await readSubsets(site)).includes("green"), "the subset is written");
      await releases.kill();
      expect(await readWeights(site)).toMatchObject({ blue: 100 });
      paused?.proxy.program.resume();
      await releases.startAgain();
      await releases.whenPhase("resumed", "done");
      const doneMs = epochNowMs();
      for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "green");
      const view = viewRecords(await load.stop(), { doneMs, now: "green" });
      expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
    } finally {
      paused?.proxy.program.resume();
    }
  });
});

const addGreen = `subsets: [{ destinationRule: app, add: [{ name: green, labels: { version: green } }] }]
strategy: { blueGreen: {} }`;
