import { expect } from "vitest";
import { ControllerProcess } from "./controller-process.ts";
import { buildRelease, clean, namespace, statusOf, test, weightsOf } from "./controlled-site.ts";
import { describeCluster } from "./shared-cluster.ts";
import { viewRecords } from "./site.ts";

describeCluster("kirikae controller", () => {
  test(
    "carries out a Release that kubectl applies, waits for and describes, without a lost request",
    { timeout: 180_000 },
    async ({ site, kubectl }) => {
      await clean(kubectl, site);
      await using controller = await ControllerProcess.start(site, { identity: "one" });
      await using load = await site.startLoad();
      await kubectl.apply(buildRelease("canary", { canary: { weights: [10, 50], hold: "1s" } }));
      await kubectl.run(["wait", "--for=condition=Ready", "release/canary", "-n", namespace, "--timeout=90s"]);
      const doneMs = Date.now();
      const view = viewRecords(await load.stop(), { doneMs, now: "green" });
      expect(view).toMatchObject({ failed: 0, oldAfterDone: 0 });
      expect(view.byVersion["green"]).toBeGreaterThan(0);
      expect(await weightsOf(kubectl)).toMatchObject({ green: 100 });
      const listed = await kubectl.run(["get", "releases", "-n", namespace]);
      expect(listed).toMatch(/canary +green +Done +5\/5 +green 100 %/u);
      const described = await kubectl.run(["describe", "release", "canary", "-n", namespace]);
      expect(described).toContain("step 1 of 5 is done: weight blue 90 %, green 10 %");
      const status = await statusOf(kubectl, "canary");
      expect(status.conditions).toContainEqual(expect.objectContaining({ type: "Proved", status: "True" }));
      expect(await controller.ask("/readyz")).toEqual({ status: 200, text: "leads\n" });
      expect((await controller.ask("/metrics")).text).toContain("kirikae_controller_leads 1");
      await kubectl.run(["delete", "release", "canary", "-n", namespace, "--timeout=30s"]);
    },
  );
});
