import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { epochNowMs } from "../load/load-clock.ts";
import type { KubeObject } from "./kube-client.ts";
import type { Kubectl } from "./kubectl.ts";
import { orphan, OtherTool, type OtherToolOptions } from "./other-tool.ts";
import {
  buildCanary,
  buildCanaryApp,
  buildCanaryHosts,
  buildRollout,
  buildRolloutApp,
  flagger,
  otherKinds,
  rollouts,
} from "./other-tools.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildApp } from "./site-objects.ts";
import { readSubsets, readWeights } from "./site-reads.ts";
import { SiteReleases } from "./site-releases.ts";

const namespace = "beside";
const guide = fileURLToPath(new URL("../../docs/guide/side-by-side.md", import.meta.url));

const test = base.extend("site", { scope: "file" }, async ({ cluster, kubectl }, { onCleanup }) => {
  await kubectl.apply(otherKinds, ["--server-side"]);
  for (const { metadata } of otherKinds) {
    await kubectl.run(["wait", "--for=condition=Established", `crd/${metadata.name}`, "--timeout=30s"]);
  }
  const site = await Site.start({ cluster, namespace, hasPreview: false });
  onCleanup(async () => {
    await site[Symbol.asyncDispose]();
    for (const kind of otherKinds) await cluster.client.deleteIfThere(kind);
  });
  return site;
});

/** Releases of the guide, as they stand there, for the app of this file. */
async function writeRelease(site: Site, name: string): Promise<string> {
  const text = await readFile(guide, "utf8");
  const block = text.match(new RegExp(`^ *\`\`\`yaml\\n *# ${name}\\n(.*?)^ *\`\`\``, "msu"))?.[1];
  if (block === undefined) throw new Error(`the guide has no ${name}`);
  const file = join(site.sandbox.root, name);
  await writeFile(
    file,
    block
      .replaceAll(/^ {3}/gmu, "")
      .replaceAll("sample-ns", namespace)
      .replaceAll("sample-app", "app")
      .replaceAll("10m", "1s"),
  );
  return file;
}

/** The routes of the test before go, with whoever owned their fields. */
async function startAnew(site: Site, objects: readonly KubeObject[]): Promise<void> {
  const old = [...buildApp(site.shape), ...buildRolloutApp(site.shape), ...buildCanaryApp(site.shape)];
  for (const object of old) if (object.kind !== "Gateway") await site.cluster.client.deleteIfThere(object);
  for (const object of objects) await site.cluster.client.apply(object);
}

async function startTool(site: Site, source: KubeObject, carryOut: OtherToolOptions["carryOut"]): Promise<OtherTool> {
  await site.cluster.client.create(source);
  const tool = new OtherTool({ client: site.cluster.client, source, carryOut });
  await tool.whenLooked();
  for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
  return tool;
}

async function readService(kubectl: Kubectl): Promise<KubeObject> {
  return kubectl.getJson<KubeObject>(["virtualservice", "app", "-n", namespace]);
}

async function expectRefused(site: Site, manager: string, args: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await site.kirikae([...args, "--json"]);
  expect(exitCode, stdout + stderr).toBe(1);
  const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string } };
  expect(error.code).toBe("KIR4006");
  expect(error.message).toContain(`belong to ${manager}`);
  expect(error.message).toContain(`--take-over ${manager}`);
}

const clean = { failed: 0 };

// Their controllers need Go modules and pods that nothing here runs: what they write is played, under their names.
describeCluster("an app that is moved over from another tool, under load", { timeout: 180_000 }, () => {
  test("Argo Rollouts: subsets with a hash make room for one with a label, and come back", async ({
    site,
    cluster,
    kubectl,
  }) => {
    await startAnew(site, buildRolloutApp(site.shape));
    const rollout = buildRollout(site.shape);
    await using tool = await startTool(site, rollout, rollouts(site.shape));
    const before = (await readService(kubectl))["spec"];
    const file = await writeRelease(site, "to-green.yaml");
    await using load = await site.startLoad();

    // While the Rollout is there, nothing moves.
    const move = ["switch", "app", "-n", namespace, "--to", "canary"];
    await expectRefused(site, "rollouts-controller", move);
    expect((await readService(kubectl))["spec"]).toEqual(before);

    // Nothing else would keep what kirikae writes: the one that carries the Rollout out has to leave it first.
    await kubectl.run(["delete", "rollout", "app", "-n", namespace, "--cascade=orphan", "--wait=false"]);
    await orphan(cluster.client, rollout, []);
    await expectRefused(site, "rollouts-controller", move);

    await using releases = await SiteReleases.start(site);
    await releases.tell("start", file);
    await releases.whenPhase("to-green", "done");
    const doneMs = epochNowMs();
    await tool.whenLooked();
    expect(await readWeights(site)).toMatchObject({ green: 100 });
    expect(await readSubsets(site)).toEqual(["green"]);
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("green");
    const moved = await kubectl.getJson<KubeObject>([
      "virtualservice",
      "app",
      "-n",
      namespace,
      "--show-managed-fields",
    ]);
    expect(JSON.stringify(moved.metadata["managedFields"])).not.toContain("rollouts-controller");
    expect(viewRecords(await load.stop(), { doneMs, now: "green" })).toMatchObject({ ...clean, oldAfterDone: 0 });

    // The way back: the traffic first, then the tool.
    await using back = await site.startLoad();
    await releases.tell("rollback", "to-green", "--release");
    await releases.whenPhase("to-green", "rolledBack");
    expect((await readService(kubectl))["spec"]).toEqual(before);
    expect(await readSubsets(site)).toEqual(["stable", "canary"]);
    await cluster.client.create(rollout);
    await tool.whenLooked();
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("blue");
    expect(viewRecords(await back.stop())).toMatchObject(clean);
    await cluster.client.delete(rollout);
  });

  test("Flagger: what it has made stays when its Canary goes, and is its own again", async ({
    site,
    cluster,
    kubectl,
  }) => {
    await startAnew(site, buildCanaryHosts(site.shape));
    const canary = buildCanary(site.shape);
    await using tool = await startTool(site, canary, flagger(site.shape));
    const before = (await readService(kubectl))["spec"];
    const file = await writeRelease(site, "to-canary.yaml");
    await using load = await site.startLoad();
    const move = ["switch", "app", "-n", namespace, "--to", "app-canary"];
    await expectRefused(site, "flagger", move);

    await kubectl.run(["patch", "canary", "app", "-n", namespace, "--type=merge", "-p", '{"spec":{"suspend":true}}']);
    await kubectl.run(["delete", "canary", "app", "-n", namespace, "--cascade=orphan", "--wait=false"]);
    await orphan(cluster.client, canary, buildCanaryApp(site.shape));
    await expectRefused(site, "flagger", move);

    await using releases = await SiteReleases.start(site);
    await releases.tell("start", file);
    await releases.whenPhase("to-canary", "done");
    const doneMs = epochNowMs();
    await tool.whenLooked();
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("green");
    expect(viewRecords(await load.stop(), { doneMs, now: "green" })).toMatchObject({ ...clean, oldAfterDone: 0 });

    await using back = await site.startLoad();
    await releases.tell("rollback", "to-canary", "--release");
    await releases.whenPhase("to-canary", "rolledBack");
    expect((await readService(kubectl))["spec"]).toEqual(before);
    await cluster.client.create(canary);
    await tool.whenLooked();
    const { metadata, spec } = await readService(kubectl);
    expect(spec).toEqual(before);
    expect(metadata["annotations"]).toBeUndefined();
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("blue");
    expect(viewRecords(await back.stop())).toMatchObject(clean);
    await cluster.client.delete(canary);
  });
});
