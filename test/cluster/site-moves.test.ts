import { expect } from "vitest";
import { epochNowMs } from "../load/load-clock.ts";
import type { Kubectl } from "./kubectl.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { SiteReleases } from "./site-releases.ts";

const namespace = "moves";

const test = base.extend("site", { scope: "file" }, async ({ cluster }, { onCleanup }) => {
  const site = await Site.start({ cluster, namespace, gateways: 2 });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

const clean = { failed: 0, oldAfterDone: 0 };

async function readSpec(kubectl: Kubectl): Promise<unknown> {
  const { spec } = await kubectl.getJson<{ readonly spec: unknown }>(["virtualservice", "app", "-n", namespace]);
  return spec;
}

describeCluster("kirikae --context on a site under load", { timeout: 120_000 }, () => {
  test("a switch is proved at both gateways, and taken back", async ({ site, kubectl }) => {
    const before = await readSpec(kubectl);
    await using load = await site.startLoad();
    const switched = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    expect(switched, switched.stderr).toMatchObject({ exitCode: 0 });
    expect(switched.stdout).toContain("gateway-1.moves");
    expect(switched.stdout).toContain("gateway-2.moves");
    expect(viewRecords(await load.stop(), { doneMs: switched.endMs, now: "green" })).toMatchObject(clean);

    await using back = await site.startLoad();
    const rolled = await site.kirikae(["rollback", "app", "-n", namespace]);
    expect(rolled, rolled.stderr).toMatchObject({ exitCode: 0 });
    expect(viewRecords(await back.stop(), { doneMs: rolled.endMs, now: "blue" })).toMatchObject(clean);
    expect(await readSpec(kubectl)).toEqual(before);
  });

  test("preview, mirror, weights, switch and the way back of one release", async ({ site, kubectl }) => {
    const before = await readSpec(kubectl);
    await using releases = await SiteReleases.start(site);
    await using load = await site.startLoad();
    await releases.release(
      "to-green",
      `strategy:
  steps:
    - preview: { name: testers, match: [{ headers: { x-tester: { exact: "1" } } }] }
    - hold: {}
    - mirror: { percent: 50 }
    - hold: {}
    - weight: 25
    - hold: {}
    - switch: {}
    - finish: {}`,
    );
    await releases.whenPhase("to-green", "holding");
    for (const gateway of site.gateways) {
      expect(await site.ask(gateway, { "x-tester": "1" })).toBe("green");
      expect(await site.ask(gateway)).toBe("blue");
    }
    const seen = await site.countRequests("green");
    await releases.tell("promote", "to-green");
    await holdingAt(releases, 4);
    // Nobody but testers is sent to green: what comes is copied.
    await expect.poll(() => site.countRequests("green"), { timeout: 20_000 }).toBeGreaterThan(seen + 50);
    await releases.tell("promote", "to-green");
    await holdingAt(releases, 6);
    const shared = await kubectl.run(["get", "virtualservice", "app", "-n", namespace, "-o", "yaml"]);
    expect(shared).toContain("weight: 75");
    await releases.tell("promote", "to-green");
    await releases.whenPhase("to-green", "done");
    const view = viewRecords(await load.stop(), { doneMs: epochNowMs() - 1, now: "green" });
    expect(view).toMatchObject(clean);
    expect(view.byVersion).toMatchObject({ blue: expect.any(Number), green: expect.any(Number) });
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("green");

    await using back = await site.startLoad();
    await releases.tell("rollback", "to-green", "--release");
    await releases.whenPhase("to-green", "rolledBack");
    const doneMs = epochNowMs();
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
    expect(viewRecords(await back.stop(), { doneMs, now: "blue" })).toMatchObject(clean);
    expect(await readSpec(kubectl)).toEqual(before);
  });

  test("blue-green with a preview, by one Release", async ({ site }) => {
    await using releases = await SiteReleases.start(site);
    await using load = await site.startLoad();
    await releases.release(
      "blue-green",
      `strategy: { blueGreen: { preview: { match: [{ headers: { x-tester: { exact: "1" } } }] } } }`,
    );
    const { lastEvent } = await releases.whenPhase("blue-green", "done");
    const doneMs = epochNowMs();
    expect(lastEvent).toBeDefined();
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "green");
    expect(viewRecords(await load.stop(), { doneMs, now: "green" })).toMatchObject(clean);
  });
});

async function holdingAt(releases: SiteReleases, step: number): Promise<void> {
  await expect
    .poll(async () => (await releases.whenPhase("to-green", "holding", "moving")).step, { timeout: 30_000 })
    .toBe(step);
  await releases.whenPhase("to-green", "holding");
}
