import { spawn } from "node:child_process";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { type TemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

async function run(
  program: string,
  args: readonly string[],
  { cwd, input = "" }: { cwd: string; input?: string },
): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1" } });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

function kirikae(args: readonly string[], cwd: string): Promise<Ended> {
  return run(process.execPath, [join(root, "bin/kirikae.js"), "gitops", ...args], { cwd });
}

/** A working tree with the files of a case below `apps/`, and the live objects beside it. */
async function layOut(
  { path: folder }: TemporaryFolder,
  name: string,
): Promise<{ readonly tree: string; readonly live: string }> {
  const tree = join(folder, "tree");
  await mkdir(join(tree, "apps"), { recursive: true });
  await copyFile(join(root, `testdata/gitops/${name}.git.yaml`), join(tree, "apps/web.yaml"));
  const live = join(folder, "live.yaml");
  await copyFile(join(root, `testdata/gitops/${name}.live.yaml`), live);
  expect((await run("git", ["init", "-q", "."], { cwd: tree })).status).toBe(0);
  return { tree, live };
}

test.each(["block", "flow", "replaced", "json"])(
  "the patch of %s is one that git applies, and then nothing would be undone",
  { timeout: 60_000 },
  async (name) => {
    await using folder = await temporaryFolder();
    const { tree, live } = await layOut(folder, name);
    const before = await kirikae(["diff", "apps", "--live", live], tree);
    expect([before.status, before.stderr]).toEqual([1, ""]);
    expect(before.stdout).toContain("VirtualService shop/web apps/web.yaml:");
    const patch = await kirikae(["patch", "apps", "--live", live], tree);
    expect(patch.status).toBe(0);
    const applied = await run("git", ["apply", "-"], { cwd: tree, input: patch.stdout });
    expect(applied).toEqual({ stdout: "", stderr: "", status: 0 });
    const after = await kirikae(["diff", "apps", "--live", live], tree);
    expect([after.status, after.stdout]).toEqual([0, "A sync from git would undo nothing.\n"]);
  },
);

test("--write writes the files, and what is left to a person is named", { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder();
  const { tree, live } = await layOut(folder, "anchors");
  const { stdout, stderr, status } = await kirikae(["patch", "apps", "--live", live, "--write"], tree);
  expect([status, stdout]).toEqual([1, "apps/web.yaml: shop/web free\n"]);
  expect(stderr).toContain("apps/web.yaml is left to you: rule own of shop/web: a weight has the anchor &most");
  expect(await readFile(join(tree, "apps/web.yaml"), "utf8")).toContain("weight: &most 90");
});

test("settings are YAML for each tool, and JSON for scripts", { timeout: 60_000 }, async () => {
  const argo = await kirikae(["ignore", "shop/web"], root);
  expect([argo.status, argo.stderr]).toEqual([0, ""]);
  const [application, configMap] = parseAllDocuments(argo.stdout).map((document) => document.toJS() as unknown);
  expect(application).toMatchObject({
    kind: "Application",
    spec: {
      ignoreDifferences: [
        {
          group: "networking.istio.io",
          kind: "VirtualService",
          namespace: "shop",
          name: "web",
          jqPathExpressions: expect.arrayContaining([".spec.http[]?.route[]?.weight"]),
          managedFieldsManagers: ["kirikae"],
        },
      ],
      syncPolicy: { syncOptions: ["RespectIgnoreDifferences=true"] },
    },
  });
  expect(configMap).toMatchObject({
    metadata: { name: "argocd-cm" },
    data: { "resource.customizations.health.kirikae.dev_Release": expect.stringContaining("Degraded") },
  });
  const flux = JSON.parse((await kirikae(["ignore", "--for", "flux", "--json"], root)).stdout) as readonly {
    readonly object: object;
  }[];
  expect(flux[0]?.object).toMatchObject({
    kind: "Kustomization",
    spec: { ignore: [{ paths: ["/spec/http"], target: { kind: "VirtualService" } }] },
  });
});

test(
  "a folder without a VirtualService and a cluster that is not named are told apart",
  { timeout: 60_000 },
  async () => {
    await using folder = await temporaryFolder();
    const { tree } = await layOut(folder, "block");
    const unnamed = await kirikae(["diff", "apps"], tree);
    expect([unnamed.status, unnamed.stderr.includes("KIR4101")]).toEqual([2, true]);
    const empty = await kirikae(["diff", ".", "--live", "."], join(tree, ".git/info"));
    expect([empty.status, empty.stderr.includes("KIR4100")]).toEqual([2, true]);
  },
);
