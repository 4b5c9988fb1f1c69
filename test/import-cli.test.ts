import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

async function run(args: readonly string[], input = "") {
  const child = spawn(process.execPath, ["bin/kirikae.js", ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1" },
  });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

test(
  "the Release goes to standard output, and every note with its place to standard error",
  { timeout: 30_000 },
  async () => {
    const { stdout, stderr, status } = await run([
      "import",
      "argo-rollout",
      "testdata/import/argo-canary-hosts.in.yaml",
    ]);
    expect([status, stdout.split("\n", 2)]).toEqual([0, ["apiVersion: kirikae.dev/v1alpha1", "kind: Release"]]);
    expect(stderr).toContain("spec.strategy.canary.stableService: Argo Rollouts adds the hash");
    expect(stderr).toContain("(testdata/import/argo-canary-hosts.in.yaml:9:7)");
    expect(stderr).toContain("1 Release, ");
  },
);

test("--json gives releases and notes as data, and standard input is read", { timeout: 30_000 }, async () => {
  const canary =
    "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {name: a}\nspec: {targetRef: {name: a}, odd: 1}\n";
  const { stdout, stderr, status } = await run(["import", "flagger-canary", "-", "-n", "shop", "--json"], canary);
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({
    releases: [
      {
        release: { kind: "Release", metadata: { name: "a", namespace: "shop" } },
        made: [{ kind: "VirtualService" }, { kind: "Service" }, { kind: "Service" }, { kind: "Service" }],
        notes: expect.arrayContaining([expect.objectContaining({ path: "spec.odd" })]),
      },
    ],
    incomplete: [],
  });
});

test.each([
  [["argo-rollout", "testdata/import/flagger-canary.in.yaml"], "", "There is no Rollout of argoproj.io"],
  [["flagger-canary", "-"], "a: [", "What could not be read: <stdin>:1"],
  [["helm", "x"], "", "Allowed choices are argo-rollout, flagger-canary"],
  [["argo-rollout", "not-there.yaml"], "", "not-there.yaml does not exist"],
])("import %j has exit status 2", { timeout: 30_000 }, async (args, input, message) => {
  const { stdout, stderr, status } = await run(["import", ...args], input);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});
