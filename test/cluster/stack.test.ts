import { expect, inject } from "vitest";
import { describeCluster, test } from "./shared-cluster.ts";

// Where a cluster may be missing, what is missing has been said (cluster-programs.setup.ts).
if (process.env["KIRIKAE_CLUSTER"] === "required") {
  test("nothing is missing", () => {
    const programs = inject("clusterPrograms");
    expect(programs.kind === "missing" ? programs.what : []).toEqual([]);
  });
}

describeCluster("the test stack", () => {
  test.beforeAll(async ({ cluster }) => {
    await cluster.restore();
  });

  test("kubectl sees what the stack has written", async ({ kubectl, cluster }) => {
    expect(await kubectl.run(["get", "pods", "-n", "istio-system"])).toContain("istiod-1");
    expect(await cluster.istiod.readSync()).toEqual(expect.any(Array));
  });

  test("a user whom RBAC gives nothing is refused", async ({ kubectl }) => {
    const { exitCode, stderr } = await kubectl.try(["get", "pods"], { user: "nobody" });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Forbidden");
  });

  test("a port of a pod is reached through the API server and the kubelet", async ({ kubectl }) => {
    await using forward = await kubectl.forward({ namespace: "istio-system", pod: "istiod-1", port: 15_014 });
    const answer = await fetch(`http://127.0.0.1:${forward.port}/debug/syncz`);
    expect(await answer.json()).toEqual(expect.any(Array));
  });

  test("the API server and istiod come back where they were", async ({ kubectl, cluster }) => {
    await cluster.api.program.stop();
    expect((await kubectl.try(["get", "pods"])).exitCode).toBe(1);
    await cluster.istiod.program.stop();
    await cluster.restore();
    expect(await kubectl.run(["get", "pods", "-n", "istio-system"])).toContain("istiod-1");
    expect(await cluster.istiod.readSync()).toEqual(expect.any(Array));
  });
});
