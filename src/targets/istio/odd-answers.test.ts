import { describe, expect, test } from "vitest";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { isConfigKnown } from "./known-config.ts";
import { createProxyAdmin } from "./proxy-admin.ts";
import { readLatencies } from "./proxy-latency.ts";
import { readCounters, readFigures, readTallies } from "./proxy-stats.ts";
import { ownRouteEvidence, weightEvidence } from "./route-evidence.ts";
import type { IstiodPlace } from "./site-view.ts";
import { subsetGoneEvidence, subsetsEvidence } from "./subset-evidence.ts";

const destination = "outbound|80|blue|web.shop.svc.cluster.local";
const object = { apiVersion: "v1", kind: "VirtualService", metadata: { name: "web", namespace: "shop" } };
const emptyTable = { httpRoutings: [] } as unknown as ReturnType<Parameters<typeof weightEvidence>[1]>;

/** Whatever runs in a pod can listen where its proxy would. */
const odd = [
  "null",
  "7",
  "[]",
  '{"configs":7,"stats":{}}',
  '{"configs":[null,7],"stats":[null,7]}',
  '{"configs":[{"route_config":null,"cluster":null}],"stats":[{"name":7,"value":"x","histograms":null}]}',
  '{"configs":[{"route_config":{"virtual_hosts":[null]},"cluster":{"name":7},"name":7}]}',
  '{"stats":[{"histograms":{"details":[null,{"totals":[null]}],"computed_quantiles":[null,{"name":7,"values":7}]}}]}',
  '[null,7,{"metadata":null}]',
];

describe.each(odd)("a pod that answers %s", (text) => {
  const reach: Pick<PodReach, "get"> = { get: async () => text };
  const admin = createProxyAdmin(reach as PodReach, { pod: { namespace: "shop", name: "web-1" } });
  const istiod = { name: "istiod-1", get: async () => text } as unknown as IstiodPlace;

  test("shows nothing, and keeps nobody's proof from going on", async () => {
    const subsets = [subsetsEvidence("web", ["blue"]), subsetGoneEvidence("web", ["blue"])];
    const routes = [ownRouteEvidence(new Map([["shop/web", []]])), weightEvidence(new Map(), () => emptyTable)];
    for (const evidence of [...routes, ...subsets]) {
      expect(await evidence.stamp(admin)).toEqual(expect.any(String));
      expect(await evidence.judge(admin)).toEqual({ kind: "absent" });
      expect(await evidence.judgeView(istiod, "web-1.shop")).toEqual({ kind: "absent" });
    }
    expect(await isConfigKnown(istiod, [object])).toBe(false);
  });

  test("counts nothing", async () => {
    expect(await readTallies(admin, [destination])).toBeUndefined();
    expect([...((await readCounters(admin)) ?? [])]).toEqual([]);
    expect(await readFigures(admin, new Set([destination]))).toBeUndefined();
    expect((await readLatencies(admin)).size).toBe(0);
  });
});
