import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { epochNowMs } from "../load/load-clock.ts";
import { addManyVirtualServices, removeManyVirtualServices } from "./many-virtual-services.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";
import { readSubsets } from "./site-reads.ts";
import { SiteReleases } from "./site-releases.ts";

const namespace = "many";

describeCluster("a site of 1,500 VirtualServices", { timeout: 180_000 }, () => {
  test("a subset goes with its last weight and loses no request", async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace, hasPreview: false });
    await addManyVirtualServices(site, 1_499);
    try {
      // As in the table of docs/performance.md: istiod alone, told both at once, loses thousands.
      await kubectl.apply(buildVirtualService(site.shape, { blue: 90, green: 10 }));
      await site.whenAnswered(site.gateways[0] ?? neverThere(), (version) => version === "green");
      await using releases = await SiteReleases.start(site);
      await using load = await site.startLoad({ requestsPerSecond: 1_000, connections: 64 });
      await releases.release(
        "drop",
        "subsets: [{ destinationRule: app, remove: [blue] }]\nstrategy: { blueGreen: {} }",
      );
      await releases.whenPhase("drop", "done");
      const doneMs = epochNowMs();
      expect(await readSubsets(site)).toEqual(["green"]);
      // What istiod still pushes would meet requests too.
      await delay(2_000);
      expect(viewRecords(await load.stop(), { doneMs, now: "green" })).toMatchObject({ failed: 0, oldAfterDone: 0 });
    } finally {
      await removeManyVirtualServices(site);
    }
  });
});

function neverThere(): never {
  throw new Error("the site has no gateway");
}
