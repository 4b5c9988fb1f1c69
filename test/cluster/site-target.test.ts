import { expect } from "vitest";
import { describeTarget, type TargetFixture } from "../contract/target.contract.ts";
import type { Cluster } from "./cluster.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site } from "./site.ts";
import { openTarget } from "./site-target.fixture.ts";

const timeoutMs = 30_000;

describeCluster("the Istio of a cluster", () => {
  let site: Site;
  let cluster: Cluster;

  test.beforeAll(async ({ cluster: shared }) => {
    cluster = shared;
    await cluster.restore();
    site = await Site.start({ cluster, namespace: "site-target", gateways: 2 });
  });

  test.afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  describeTarget({
    name: "SiteTarget",
    timeoutMs,
    async createFixture(): Promise<TargetFixture> {
      const opened = await openTarget(site);
      return {
        target: opened.target,
        splits: opened.splits(),
        async sendRequests(perSplit) {
          for (const headers of [{}, { "x-preview": "green" }]) {
            for (let count = 0; count < perSplit; count += 1) {
              const gateway = site.gateways[count % site.gateways.length];
              if (gateway === undefined) throw new Error("no gateway");
              expect(await site.ask(gateway, headers)).toBeDefined();
            }
          }
        },
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  });
});
