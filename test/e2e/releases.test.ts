import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReleaseStatus, ReleaseSummary } from "../../src/api/types.ts";
import { faultyApp } from "../crash/faulty-app.ts";
import { expectNothingLost, SampleMesh } from "../crash/sample-mesh.ts";
import { summarizeLoad } from "../load/load-summary.ts";
import { type CliResult, eventually } from "./product.ts";

function release(strategy: string): string {
  return `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec:
  routes: [{ virtualService: sample-app }]
  from: blue
  to: green
  strategy: ${strategy}
`;
}

class ReleasedMesh {
  readonly mesh: SampleMesh;
  readonly file: string;

  constructor(mesh: SampleMesh, strategy: string) {
    this.mesh = mesh;
    this.file = join(mesh.sandbox.root, "release.yaml");
    writeFileSync(this.file, release(strategy));
  }

  async run(...args: readonly string[]): Promise<ReleaseStatus> {
    const { stdout, stderr } = await this.tell(...args);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  tell(...args: readonly string[]): Promise<CliResult> {
    return this.mesh.sandbox.cli([...args, "--json"]);
  }

  async list(): Promise<readonly ReleaseSummary[]> {
    return (await this.mesh.sandbox.api()).releases();
  }

  start(): Promise<ReleaseStatus> {
    return this.run("start", this.file);
  }

  wait(goal: "done" | "paused" | "failed"): Promise<ReleaseStatus> {
    return this.run("wait", "to-green", "--for", goal, "--timeout", "45s");
  }
}

test("a healthy release loses no request, on its way there and back", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const released = new ReleasedMesh(
    mesh,
    "{canary: {weights: [10, 50], check: {duration: 1s, successRate: {min: 99.9}}, approve: {}}}",
  );
  await using load = await mesh.load();
  await released.start();
  expect(await released.wait("paused")).toMatchObject({ phase: "awaiting", step: 5 });
  const refused = await mesh.move("switch", "--to", "green");
  expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("KIR2034") });
  // A dry run says the same.
  expect(await mesh.move("switch", "--to", "green", "--dry-run")).toMatchObject({
    exitCode: 1,
    stdout: refused.stdout,
  });
  await released.run("approve", "to-green", "--reason", "the figures are good");
  expect(await released.wait("done")).toMatchObject({ phase: "done" });
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
  await released.run("rollback", "to-green", "--release");
  expect(await released.wait("done")).toMatchObject({ phase: "rolledBack" });
  expect(await mesh.expectWorldToEqualJournal()).toBe("blue");
  await expectNothingLost(load);
});

test("a version that answers with errors is taken back by its check", async () => {
  await using mesh = await SampleMesh.create();
  mesh.sandbox.write("server.js", faultyApp);
  await mesh.sandbox.up({ args: mesh.args });
  const released = new ReleasedMesh(mesh, "{canary: {weights: [5, 50], check: {duration: 30s}}}");
  await using load = await mesh.load();
  await released.start();
  await eventually("the first check", async () => {
    const [status] = await released.list();
    return status?.phase === "checking" ? true : undefined;
  });
  mesh.sandbox.write("fault-green", "error");
  const status = await released.wait("done");
  expect(status).toMatchObject({ phase: "rolledBack", message: expect.stringContaining("answers of the new version") });
  expect(await mesh.seen()).toEqual(new Set(["blue"]));
  const { records } = await load.stop();
  // Testers ask for green by its header, and half of the load is theirs.
  const { failed } = summarizeLoad(records.filter(({ request }) => request === 0));
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThan(records.length / 20);
});

test("the next start goes on with a release where the one before was killed", async () => {
  await using mesh = await SampleMesh.create();
  const first = await mesh.sandbox.up({ args: mesh.args });
  const released = new ReleasedMesh(
    mesh,
    "{steps: [{weight: 10}, {approve: {}}, {weight: 50}, {hold: 1s}, {switch: {}}]}",
  );
  await released.start();
  await released.wait("paused");
  await first.kill();
  const second = await mesh.sandbox.up({ args: mesh.args });
  await released.run("approve", "to-green");
  // Somewhere in a move or the hold after it.
  await second.kill();
  await mesh.sandbox.up({ args: mesh.args });
  expect(await released.wait("done")).toMatchObject({ phase: "done" });
  expect(await mesh.expectWorldToEqualJournal()).toBe("green");
});

test("a saved manifest that moves the same rule stops a release that holds, and stands", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const released = new ReleasedMesh(mesh, "{steps: [{weight: 10}, {hold: 1h}]}");
  await released.start();
  await eventually("the hold", async () => {
    const [status] = await released.list();
    return status?.phase === "holding" ? true : undefined;
  });
  const before = readFileSync(join(mesh.sandbox.manifests, "mesh.yaml"), "utf8");
  const [head = "", tail = ""] = before.split("    - name: public\n");
  mesh.sandbox.write("mesh.yaml", `${head}    - name: public\n${tail.replace("subset: blue", "subset: green")}`);
  expect(await released.wait("failed")).toMatchObject({
    phase: "failed",
    message: expect.stringContaining(
      "rule 1 (public) of sample-ns/sample-app was given other weights by somebody else",
    ),
  });
  expect(await mesh.seen()).toEqual(new Set(["green"]));
});

test("a check goes on over a proxy that ends and starts again", async () => {
  await using mesh = await SampleMesh.create();
  await mesh.sandbox.up({ args: mesh.args });
  const check = "{check: {duration: 6s, minRequests: 10, successRate: {min: 90}, compareWithLive: false}}";
  const released = new ReleasedMesh(mesh, `{steps: [{weight: 50}, ${check}, {switch: {}}]}`);
  await using load = await mesh.load();
  await released.start();
  await eventually("the check", async () => {
    const [status] = await released.list();
    return status?.phase === "checking" ? true : undefined;
  });
  const pid = await mesh.envoyPid();
  process.kill(pid, "SIGKILL");
  await mesh.whenServing(pid);
  const status = await released.wait("done");
  expect(status.events).toContainEqual(expect.objectContaining({ kind: "judged", verdict: "pass" }));
  expect(status).toMatchObject({ phase: "done" });
  const { records } = await load.stop();
  expect(records.length).toBeGreaterThan(0);
});
