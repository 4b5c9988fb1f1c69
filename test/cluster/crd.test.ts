import { expect } from "vitest";
import { isRead, readOwnObjects } from "../own-objects.fixture.ts";
import { installReleaseKind } from "./release-kind.ts";
import { namespace, refusalOf, release } from "./release-objects.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const plain = { routes: [{ virtualService: "web" }], to: "green", strategy: { canary: { weights: [10, 50] } } };

describeCluster("the CustomResourceDefinition of Release", () => {
  test.beforeAll(async ({ cluster, kubectl }) => {
    await cluster.restore();
    await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await installReleaseKind(kubectl);
  });

  test.afterAll(async ({ kubectl }) => {
    await kubectl.run(["delete", "releases", "--all", "-n", namespace, "--wait=false"]);
  });

  test("takes every Release of the examples, the guides and the test data that kirikae takes", async ({ cluster }) => {
    const known = readOwnObjects().filter(({ object }) => object["kind"] === "Release" && isRead(object));
    expect(known.length).toBeGreaterThan(25);
    const refused: string[] = [];
    for (const { from, object } of known) {
      const said = await refusalOf(cluster, object["spec"]);
      if (said !== undefined) refused.push(`${from}: ${said}`);
    }
    expect(refused).toEqual([]);
  });

  test.for([
    ["goes nowhere", { ...plain, from: "green" }, "to must be another version than from"],
    ["has weights that fall", { ...plain, strategy: { canary: { weights: [50, 10] } } }, "must rise from above 0"],
    ["has weights that stay", { ...plain, strategy: { canary: { weights: [50, 50] } } }, "must rise from above 0"],
    [
      "has two strategies",
      { ...plain, strategy: { ...plain.strategy, steps: [{ switch: {} }] } },
      "spec.strategy: Too many",
    ],
    ["does two things at once", { ...plain, strategy: { steps: [{ switch: {}, hold: "1m" }] } }, "steps[0]: Too many"],
    [
      "names a VirtualService twice",
      { ...plain, routes: [{ virtualService: "web" }, { virtualService: "web" }] },
      "names a VirtualService twice",
    ],
    ["misspells a field", { ...plain, stratgy: {} }, 'unknown field "spec.stratgy"'],
    ["waits for no time", { ...plain, strategy: { steps: [{ hold: "soon" }] } }, "strategy.steps[0].hold"],
    ["is null", { ...plain, from: null, to: null }, "spec.to"],
  ] as const)("kubectl apply refuses one that %s", async ([, spec, words], { kubectl }) => {
    const { exitCode, stderr } = await kubectl.try(["apply", "-f", "-"], { input: release(spec) });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(words);
  });

  test("kubectl get, wait and explain tell the story", async ({ kubectl }) => {
    await kubectl.apply(release(plain));
    const lastTransitionTime = "2026-11-21T10:00:00Z";
    const status = {
      observedGeneration: 1,
      phase: "Checking",
      step: "2/6",
      weight: "green 10 %, blue 90 %",
      message: "37 s of 1 min",
      // What a later version may write.
      unheardOf: { kept: true },
      conditions: [
        { type: "Progressing", status: "True", reason: "Checking", message: "It checks.", lastTransitionTime },
      ],
    };
    const patch = JSON.stringify({ status });
    await kubectl.run(["patch", "rel", "a", "-n", namespace, "--subresource=status", "--type=merge", "-p", patch]);
    const table = await kubectl.run(["get", "rel", "-n", namespace]);
    expect(table).toMatch(/NAME +TO +PHASE +STEP +WEIGHT +MESSAGE +AGE/u);
    expect(table).toMatch(/a +green +Checking +2\/6 +green 10 %, blue 90 % +37 s of 1 min/u);
    await kubectl.run(["wait", "--for=condition=Progressing", "release/a", "-n", namespace, "--timeout=5s"]);
    const stored = await kubectl.getJson<{ readonly status: object }>(["release", "a", "-n", namespace]);
    expect(stored.status).toEqual(status);
    expect(await kubectl.run(["explain", "release.spec.strategy.canary"])).toContain("Rising shares, then everything.");
    expect(await kubectl.run(["get", "kirikae", "-n", namespace, "-o", "name"])).toContain("release.kirikae.dev/a");
  });
});
