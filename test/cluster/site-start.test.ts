import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { bin, eventually } from "../e2e/product.ts";
import { describeCluster, test } from "./shared-cluster.ts";
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
    // What is over is read from the journal; an order needs somebody who carries it out.
    const listed = await site.kirikae(["list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ release: `${namespace}/to-green`, phase: "done" }]);
  });

  test("stays where it is after Ctrl-C, and the next up goes on with it", { timeout: 90_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const file = await writeRelease(site, "{ steps: [{ weight: 50 }, { hold: {} }, { switch: {} }] }");
    const args = [bin, "--context", "admin", "start", file];
    const child = spawn(process.execPath, args, { env: site.environment, stdio: ["ignore", "ignore", "pipe"] });
    const ended = once(child, "exit");
    let told = "";
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    try {
      await eventually("the hold", async () => (told.includes("is holding") ? true : undefined));
      // Other terminals see it while it runs.
      const seen = await site.kirikae(["list", "--json"]);
      expect(JSON.parse(seen.stdout)).toMatchObject([{ phase: "holding" }]);
    } finally {
      child.kill("SIGINT");
    }
    expect(await ended).toEqual([130, null]);
    expect(told).toContain("`kirikae up --context admin` goes on with it");
    const order = await site.kirikae(["promote", "to-green"]);
    expect(order).toMatchObject({ exitCode: 3 });

    await site.up();
    const promoted = await site.kirikae(["promote", "to-green"]);
    expect(promoted, promoted.stderr).toMatchObject({ exitCode: 0 });
    const waited = await site.kirikae(["wait", "to-green", "--timeout", "30s"]);
    expect(waited, waited.stdout).toMatchObject({ exitCode: 0 });
  });

  test("shows an API server that is lost and waits for it", { timeout: 90_000 }, async ({ cluster }) => {
    await using site = await Site.start({ cluster, namespace });
    const up = await site.up();
    const status = async () => JSON.parse((await site.kirikae(["status", "--json"])).stdout) as { site: unknown };
    expect(await status()).toMatchObject({ site: { context: "admin", troubles: [] } });
    cluster.api.program.pause();
    try {
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
