import { expect } from "vitest";
import { epochNowMs } from "../load/load-clock.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";

describeCluster("a site of the test stack", () => {
  test("serves under load and shows a move that istiod makes", async ({ cluster, kubectl }) => {
    await using site = await Site.start({ cluster, namespace: "site", gateways: 2 });
    await using load = await site.startLoad();
    const startMs = epochNowMs();
    await kubectl.apply(buildVirtualService(site.shape, { green: 100 }));
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "green");
    const doneMs = epochNowMs();
    const view = viewRecords(await load.stop(), { doneMs: startMs, now: "green" });
    expect(view.failed).toBe(0);
    expect(view.byVersion).toMatchObject({ blue: expect.any(Number), green: expect.any(Number) });
    // A view that counts nothing would find nothing wrong either.
    expect(view.oldAfterDone).toBeGreaterThan(0);
    expect(doneMs - startMs).toBeGreaterThan(50);
  });
});
