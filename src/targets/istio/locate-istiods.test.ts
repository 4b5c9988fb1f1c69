import { expect, test } from "vitest";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { readControlPlane } from "./control-plane.ts";
import { locateIstiods } from "./locate-istiods.ts";

function replica(name: string, { phase = "Running", isReady = true } = {}): KubeObject {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  const metadata = { name, namespace: "istio-system" };
  return { apiVersion: "v1", kind: "Pod", metadata, status: { phase, conditions } };
}

const pods = [
  replica("ready"),
  replica("draining", { isReady: false }),
  replica("hung", { isReady: false }),
  replica("pending", { phase: "Pending", isReady: false }),
];

const search = {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one call that the search makes is played.
  api: { list: async () => ({ resourceVersion: "1", items: pods }) } as unknown as KubeApi,
  reach: {
    async get({ pod }) {
      if (pod.name === "hung") throw new KirikaeError("KIR4010", "no answer", { exitStatus: 3 });
      return JSON.stringify([{ proxy: `vm-of-${pod.name}.shop`, proxy_type: "router" }]);
    },
    async [Symbol.asyncDispose]() {},
  } satisfies PodReach,
};

test("a replica that is not Ready is asked for the proxies that it still has, and is waited for by nobody", async () => {
  const istiods = await locateIstiods(search);
  expect(istiods.map(({ name, takesProxies }) => [name, takesProxies])).toEqual([
    ["ready.istio-system", true],
    ["draining.istio-system", false],
    ["hung.istio-system", false],
  ]);
  const { proxies, silent } = await readControlPlane(istiods);
  expect([...proxies.keys()]).toEqual(["vm-of-ready.shop", "vm-of-draining.shop"]);
  expect(silent.size).toBe(0);
});
