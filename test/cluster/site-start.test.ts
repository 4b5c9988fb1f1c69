import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { eventually } from "../e2e/product.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { buildVirtualService } from "./site-objects.ts";
import { readWeights } from "./site-reads.ts";
import { SiteProcess } from "./site-process.ts";
import { Site } from "./site.ts";

const namespace = "start";

async function writeRelease(site: Site, strategy: string): Promise<string> {
  const file = join(site.sandbox.root, "release.yaml");
  const text = `apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: ${namespace} }
spec:
  routes: [{ virtualService: app, route: public }]
  to: green
  strategy: ${strategy}
`;
  await writeFile(file, text);
  return file;
}

/** Leaves a release in its first hold, with nobody who carries it out. */
async function leaveHolding(site: Site, file: string): Promise<void> {
  await using started = new SiteProcess(site, ["start", file]);
  await started.whenSaid("stderr", "is holding");
  started.interrupt();
  expect(await started.exit()).toBe(130);
}

/** What can be known without an API server that stands still is told within this. */
const tookAtMostMs = 10_000;

async function timeCommand(site: Site, args: readonly string[]) {
  const beganMs = performance.now();
  const result = await site.kirikae(args);
  return { ...result, tookMs: performance.now() - beganMs };
}

describeCluster("a release that no up carries out", () => {
  test("goes to its end in the foreground", { timeout: 60_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = await writeRelease(site, "{ canary: { weights: [50] } }");
    const done = await site.kirikae(["start", file, "--json"]);
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(done.stdout)).toMatchObject({ release: `${namespace}/to-green`, phase: "done" });
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    expect(await site.ask(gateway)).toBe("green");
    // What is over is read from the journal.
    const listed = await site.kirikae(["list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ release: `${namespace}/to-green`, phase: "done" }]);
  });

  test("stays where it is after Ctrl-C, and the next up goes on with it", { timeout: 90_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = await writeRelease(site, "{ steps: [{ weight: 50 }, { hold: {} }, { switch: {} }] }");
    await using started = new SiteProcess(site, ["start", file]);
    await started.whenSaid("stderr", "is holding");
    // Other terminals see it while it runs.
    const seen = await site.kirikae(["list", "--json"]);
    expect(JSON.parse(seen.stdout)).toMatchObject([{ phase: "holding" }]);
    started.interrupt();
    expect(await started.exit()).toBe(130);
    expect(started.stderr).toContain("`kirikae up --context admin` goes on with it");

    await site.up();
    const promoted = await site.kirikae(["promote", "to-green"]);
    expect(promoted, promoted.stderr).toMatchObject({ exitCode: 0 });
    const waited = await site.kirikae(["wait", "to-green", "--timeout", "30s"]);
    expect(waited, waited.stdout).toMatchObject({ exitCode: 0 });
  });

  test("takes orders without an up, one after the other", { timeout: 120_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    const file = await writeRelease(
      site,
      "{ steps: [{ weight: 50 }, { hold: {} }, { weight: 70 }, { hold: {} }, { switch: {} }] }",
    );
    await leaveHolding(site, file);
    const waited = await site.kirikae(["wait", "to-green", "--for", "paused"]);
    expect(waited, waited.stderr).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("waits to be promoted"),
    });
    const nothing = await site.kirikae(["retry", "to-green"]);
    expect(nothing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KIR2034") });

    // Until it waits for a person again.
    const next = await site.kirikae(["promote", "to-green", "--as", "ann", "--json"]);
    expect(next, next.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(next.stdout)).toMatchObject({ phase: "holding", step: 4 });
    expect(next.stderr).toContain("promoted by ann");
    expect(next.stderr).toContain("Nobody carries start/to-green out now");
    const done = await site.kirikae(["promote", "to-green"]);
    expect(done, done.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("to green: done") });
    expect(await site.ask(gateway)).toBe("green");
    const back = await site.kirikae(["rollback", "to-green", "--release"]);
    expect(back, back.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("rolled back") });
    expect(await site.ask(gateway)).toBe("blue");
  });

  test("gives its routes back once it is aborted, without an up", { timeout: 120_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = await writeRelease(site, "{ steps: [{ weight: 50 }, { hold: {} }, { switch: {} }] }");
    await using started = new SiteProcess(site, ["start", file]);
    await started.whenSaid("stderr", "is holding");
    // Somebody else changes its weights, which ends it where it is.
    await cluster.client.apply(buildVirtualService(site.shape, { blue: 80, green: 20 }));
    expect(await started.exit()).toBe(1);
    expect(started.stderr).toContain("`kirikae --context admin retry to-green -n start`");
    const locked = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    expect(locked).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KIR2034") });

    const aborted = await site.kirikae(["abort", "to-green"]);
    expect(aborted, aborted.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("aborted") });
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    const switched = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    expect(switched, switched.stdout).toMatchObject({ exitCode: 0 });
    expect(await site.ask(gateway)).toBe("green");
    const unknown = await site.kirikae(["abort", "nothing-of-that-name"]);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("KIR2035") });
  });

  test(
    "is aborted although its process died in a step, which ends first",
    { timeout: 120_000 },
    async ({ cluster }) => {
      await using site = await Site.start({ cluster, namespace });
      const [gateway] = site.gateways;
      if (gateway === undefined) throw new Error("no gateway");
      const file = await writeRelease(site, "{ canary: { weights: [10, 40] } }");
      await using started = new SiteProcess(site, ["start", file]);
      gateway.proxy.program.pause();
      try {
        // The gateway cannot show it, so that the step cannot end.
        await eventually("the write", async () => ((await readWeights(site))["green"] === 10 ? true : undefined));
        started.kill();
        await started.exit();
      } finally {
        gateway.proxy.program.resume();
      }
      const idle = await site.kirikae(["wait", "to-green", "--timeout", "1s"]);
      expect(idle).toMatchObject({
        exitCode: 4,
        stderr: expect.stringContaining("Nobody carries start/to-green out now"),
      });
      const aborted = await site.kirikae(["abort", "to-green", "--json"]);
      expect(aborted, aborted.stderr).toMatchObject({ exitCode: 0 });
      expect(aborted.stderr).toContain("start/to-green was left in a step, which ends first.");
      expect(JSON.parse(aborted.stdout)).toMatchObject({ phase: "aborted", step: 2 });
      expect(await readWeights(site)).toMatchObject({ green: 10 });
    },
  );

  test("is told by its journal while the API server stands still", { timeout: 120_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = await writeRelease(site, "{ steps: [{ weight: 50 }, { hold: {} }, { switch: {} }] }");
    await leaveHolding(site, file);
    const timed = (...args: readonly string[]) => timeCommand(site, args);
    cluster.api.program.pause();
    try {
      const [list, status, named, history] = [
        await timed("list"),
        await timed("status"),
        await timed("status", "to-green", "--json"),
        await timed("history", "to-green"),
      ];
      expect(list).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("waits to be promoted") });
      expect(list.stderr).toMatch(/^The cluster's own Releases cannot be seen: .+$/mu);
      expect(status).toMatchObject({ exitCode: 3, stdout: expect.stringContaining("waits to be promoted") });
      expect(status.stderr).toContain("KIR4004");
      expect(JSON.parse(named.stdout)).toMatchObject({ releases: [{ release: "start/to-green", phase: "holding" }] });
      expect(history).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("to-green") });
      for (const { tookMs } of [list, status, named, history]) expect(tookMs).toBeLessThan(tookAtMostMs);
    } finally {
      cluster.api.program.resume();
    }
  });

  test("shows an API server that is lost and waits for it", { timeout: 90_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const up = await site.up();
    const status = async () => JSON.parse((await site.kirikae(["status", "--json"])).stdout) as { site: unknown };
    expect(await status()).toMatchObject({ site: { context: "admin", troubles: [] } });
    cluster.api.program.pause();
    try {
      for (const command of ["status", "list", "history"]) {
        const { exitCode, tookMs } = await timeCommand(site, [command]);
        expect({ command, exitCode }).toEqual({ command, exitCode: 0 });
        expect(tookMs).toBeLessThan(tookAtMostMs);
      }
      await eventually(
        "the trouble",
        async () => {
          const { site: shown } = (await status()) as { site: { troubles: readonly string[] } };
          return shown.troubles.length > 0 ? shown : undefined;
        },
        60_000,
      );
    } finally {
      cluster.api.program.resume();
    }
    await eventually("the end of it", async () => {
      const { site: shown } = (await status()) as { site: { troubles: readonly string[] } };
      return shown.troubles.length === 0 ? true : undefined;
    });
    expect(await up.stop()).toBe(0);
  });
});
