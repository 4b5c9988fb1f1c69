import { expect } from "vitest";
import type { ReleaseReport } from "../../src/core/release/report/release-report.ts";
import type { ClusterRelease } from "../../src/api/types.ts";
import { buildRelease, clean, namespace, test, whenPhase } from "./controlled-site.ts";
import { ControllerProcess } from "./controller-process.ts";
import { describeCluster } from "./shared-cluster.ts";
import type { Site } from "./site.ts";

async function run(site: Site, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await site.kirikae(args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
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
});
