import { expect, test } from "vitest";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { ListedSidecars } from "./listed-sidecars.ts";

function pod(name: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: "shop", name, annotations }, spec: {} };
}

test("whom istiod lists has a sidecar, whether there is a pod of it or not", () => {
  const sidecars = new ListedSidecars();
  const [web, db, marked] = [pod("web"), pod("db"), pod("old", { "sidecar.istio.io/status": "{...}" })];
  const pods = [web, db, marked];
  expect(sidecars.complete(pods)).toBe(pods);
  expect(sidecars.replace(new Set(["web.shop", "old.shop", "vm.1.edge", "broken"]))).toBe(true);
  const found = sidecars.complete(pods);
  expect(found.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    "shop/web",
    "shop/db",
    "shop/old",
    "edge/vm.1",
  ]);
  expect(found[0]?.metadata.annotations).toEqual({ "sidecar.istio.io/status": "{}" });
  expect(found.slice(1, 3)).toEqual([db, marked]);
});

test("what has not changed is the same object, and no change", () => {
  const sidecars = new ListedSidecars();
  const web = pod("web");
  sidecars.replace(new Set(["web.shop", "vm.edge"]));
  const before = sidecars.complete([web]);
  expect(sidecars.replace(new Set(["vm.edge", "web.shop"]))).toBe(false);
  expect(sidecars.replace(new Set(["vm.edge", "web.shop", "vm2.edge"]))).toBe(true);
  const after = sidecars.complete([web]);
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  expect(sidecars.replace(new Set())).toBe(true);
  expect(sidecars.complete([web])).toEqual([web]);
});
