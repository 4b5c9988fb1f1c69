import { expect, test } from "vitest";
import { observeProcess } from "../../src/local/process-identity.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";

test("a sandbox ends what an up that was killed left running", async () => {
  const mesh = await SampleMesh.create();
  const up = await mesh.sandbox.up({ args: mesh.args });
  const pids = [
    await mesh.envoyPid(),
    ...(await mesh.replicaPids("nginx-blue")),
    ...(await mesh.replicaPids("nginx-green")),
  ];
  await up.kill();
  expect(pids.filter((pid) => observeProcess(pid) !== undefined)).toHaveLength(5);
  await mesh.sandbox[Symbol.asyncDispose]();
  expect(pids.filter((pid) => observeProcess(pid) !== undefined)).toEqual([]);
});
