import { join } from "node:path";
import { expect } from "vitest";
import type { ReleaseReport } from "../../src/core/release/report/release-report.ts";
import type { StatusView } from "../../src/cli/print/status.ts";
import type { ClusterRelease } from "../../src/api/types.ts";
import { buildRelease, clean, namespace, test, whenPhase } from "./controlled-site.ts";
import { ControllerProcess, until } from "./controller-process.ts";
import { describeCluster } from "./shared-cluster.ts";
import type { Cluster } from "./cluster.ts";
import { SiteProcess } from "./site-process.ts";
import type { Site } from "./site.ts";

async function run(site: Site, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.kirikae(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

/** How many watches of Releases the API server serves. */
async function countWatches({ client }: Cluster): Promise<number> {
  const gauge = /^apiserver_longrunning_requests\{[^}]*resource="releases"[^}]*\} (?<count>\d+)$/gmu;
  const found = (await client.get("/metrics")).matchAll(gauge);
  return [...found].reduce((sum, { groups }) => sum + Number(groups?.["count"]), 0);
}

describeCluster("commands about Releases that a controller carries out", { timeout: 180_000 }, () => {
  test("list, status, history and report know them, and orders reach them", async ({ site, kubectl }) => {
    await clean(kubectl, site);
    const before = await site.kirikae(["status", "theirs"]);
    expect(before).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("KIR5060") });
    await kubectl.apply(buildRelease("theirs", { steps: [{ weight: 20 }, { hold: {} }, { switch: {} }] }));

    const waiting = await run(site, "status", "theirs");
    expect(waiting).toContain(
      `Release  ${namespace}/theirs to green: pending, run by the controller of admin\n  no controller has looked at it yet`,
    );

    await using controller = await ControllerProcess.start(site, { identity: "one" });
    await whenPhase(kubectl, "theirs", "Holding");
    expect(await run(site, "list")).toMatch(/controlled\/theirs +green +holding +2\/3 .* the controller/u);
    const listed: readonly ClusterRelease[] = JSON.parse(await run(site, "list", "--active", "--json"));
    expect(listed).toMatchObject([
      {
        runBy: "controller",
        context: "admin",
        release: `${namespace}/theirs`,
        phase: "holding",
        step: "2/3",
        services: [`${namespace}/app`],
        weight: "blue 80 %, green 20 %",
        steps: [],
      },
    ]);
    const status = await run(site, "status", "theirs");
    expect(status).toMatch(/now +2 +hold/u);
    expect(status).toContain("live: blue 80 %, green 20 %");
    expect(status).toContain("`kirikae --context admin promote theirs -n controlled`");
    expect(status).toContain("controlled/app");
    expect(await run(site, "status", "app")).toContain("run by the controller of admin");
    expect(await run(site, "list", "theirs")).toContain("step 1 (weight): weights moved and proved");

    const promoted = await run(site, "promote", "theirs", "-n", namespace, "--as", "ann", "--reason", "looks good");
    expect(promoted).toContain("run by the controller of admin");
    await whenPhase(kubectl, "theirs", "Done");
    expect(await run(site, "history", "theirs")).toMatch(/promoted by ann: looks good|ann.*looks good/u);
    const report: ReleaseReport = JSON.parse(await run(site, "report", "theirs", "--json"));
    expect(report).toMatchObject({ release: `${namespace}/theirs`, to: "green" });
    const again = await site.kirikae(["promote", "theirs", "-n", namespace]);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("KIR4074") });
    const nobody = await site.kirikae(["promote", "nothing-of-that-name"]);
    expect(nobody.exitCode).not.toBe(0);
    await kubectl.run(["delete", "release", "theirs", "-n", namespace, "--timeout=30s"]);
  });

  test("a release of the same name that has ended on this machine does not hide them", async ({ site, kubectl }) => {
    await clean(kubectl, site);
    const release = buildRelease("twice", { steps: [{ weight: 20 }] });
    site.sandbox.write("twice.json", JSON.stringify(release));
    expect(await run(site, "start", join(site.sandbox.manifests, "twice.json"))).toContain("to green: done");
    // The process that carried it out had just begun, and has counted from the first step on all the same.
    expect(JSON.parse(await run(site, "report", "twice", "--json"))).toMatchObject({ counted: { isComplete: true } });
    await clean(kubectl, site);
    await kubectl.apply(buildRelease("twice", { steps: [{ weight: 30 }, { hold: {} }, { switch: {} }] }));
    await using controller = await ControllerProcess.start(site, { identity: "one" });
    await whenPhase(kubectl, "twice", "Holding");

    const paused: ClusterRelease = JSON.parse(await run(site, "wait", "twice", "--for", "paused", "--json"));
    expect(paused, controller.lines.join("\n")).toMatchObject({ runBy: "controller", step: "2/3" });
    expect(await run(site, "list", "twice")).toContain("now   2  hold");
    expect(JSON.parse(await run(site, "report", "twice", "--json"))).toMatchObject({ phase: "holding" });
    expect(await run(site, "promote", "twice")).toContain("run by the controller of admin");
    await whenPhase(kubectl, "twice", "Done");
    // It has ended too, and is the one that was begun last.
    expect(await run(site, "rollback", "twice", "--release")).toContain("run by the controller of admin");
    await whenPhase(kubectl, "twice", "RolledBack");
    await kubectl.run(["delete", "release", "twice", "-n", namespace, "--timeout=30s"]);
    expect(await run(site, "wait", "twice")).toContain("to green: done\n");
  });

  test("wait and status --watch follow them, also over an API server that stands still", async ({
    site,
    kubectl,
    cluster,
  }) => {
    await clean(kubectl, site);
    await kubectl.apply(buildRelease("waited", { steps: [{ weight: 20 }, { hold: {} }, { switch: {} }] }));
    await using controller = await ControllerProcess.start(site, { identity: "one" });
    await using watching = new SiteProcess(site, ["status", "waited", "--watch"]);
    await watching.whenSaid("stdout", `${namespace}/waited is holding, step 2/3`, 60_000);
    const paused = await site.kirikae(["wait", "waited", "--for", "paused", "--timeout", "60s", "--json"]);
    expect(paused, paused.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(paused.stdout)).toMatchObject({ runBy: "controller", phase: "holding", step: "2/3" });
    const over = await site.kirikae(["wait", "waited", "--timeout", "1s"]);
    expect(over, over.stderr).toMatchObject({ exitCode: 4, stdout: expect.stringContaining("holding") });

    const watches = await countWatches(cluster);
    await using waiting = new SiteProcess(site, ["wait", "waited", "--timeout", "150s"]);
    await until(async () => (await countWatches(cluster)) > watches, { what: () => "one more watch of Releases" });
    cluster.api.program.pause();
    try {
      await waiting.whenSaid("stderr", "admin: the API server is lost", 60_000);
      await watching.whenSaid("stderr", "admin: the API server is lost", 60_000);
    } finally {
      cluster.api.program.resume();
    }
    await waiting.whenSaid("stderr", "admin: the API server is back", 60_000);
    // What has lost its Lease meanwhile takes it again.
    await until(async () => (await site.kirikae(["promote", "waited", "-n", namespace])).exitCode === 0, {
      timeoutMs: 90_000,
      what: () => `a controller that takes orders\n${controller.lines.join("\n")}`,
    });
    expect(await waiting.exit(), waiting.stderr).toBe(0);
    expect(waiting.stdout).toContain("to green: done, run by the controller of admin");
    await watching.whenSaid("stdout", `${namespace}/waited is done`, 60_000);

    // A running `up` shows it too, and is what is watched from then on.
    const up = await site.up();
    await watching.whenSaid("stderr", "`kirikae up` has started, and knows more.");
    const seen: StatusView = JSON.parse(await run(site, "status", "waited", "--json"));
    expect(seen.clusterReleases).toMatchObject([
      { release: `${namespace}/waited`, phase: "done", runBy: "controller" },
    ]);
    expect(await run(site, "status", "waited")).toMatch(/done +3 +switch/u);
    expect(await up.stop()).toBe(0);
    watching.interrupt();
    expect(await watching.exit()).toBe(130);
    const refused = await site.kirikae(["wait", "waited", "--for", "failed"]);
    expect(refused).toMatchObject({ exitCode: 1 });
    await kubectl.run(["delete", "release", "waited", "-n", namespace, "--timeout=30s"]);
  });
});
