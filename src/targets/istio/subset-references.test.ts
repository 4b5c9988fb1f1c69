import { expect, test } from "vitest";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { findReference } from "./subset-references.ts";

const host = "web.shop.svc.cluster.local";

function service(spec: object, namespace = "shop"): KubeObject {
  return { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: "web", namespace }, spec };
}

function to(subset: string, weight?: number, named = "web") {
  return { destination: { host: named, subset }, ...(weight !== undefined && { weight }) };
}

const still = "VirtualService shop/web still routes to the subset blue";

test.each([
  ["the one destination of a rule", { http: [{ route: [to("blue")] }] }, still],
  ["a share", { http: [{ route: [to("blue", 1), to("green", 99)] }] }, still],
  ["the one destination, whose weight does not count", { http: [{ route: [to("blue", 0)] }] }, still],
  ["an entry without weight beside others", { http: [{ route: [to("blue", 0), to("green", 100)] }] }, undefined],
  ["another subset", { http: [{ route: [to("green", 100)] }] }, undefined],
  ["a mirror", { http: [{ route: [to("green")], mirror: { host, subset: "blue" } }] }, still],
  ["one of several mirrors", { http: [{ route: [to("green")], mirrors: [to("blue")] }] }, still],
  ["connections", { tcp: [{ route: [to("blue")] }] }, still],
  ["TLS passed through", { tls: [{ route: [to("blue")] }] }, still],
  [
    "the same name on another host",
    { http: [{ route: [to("blue", undefined, "web.other.svc.cluster.local")] }] },
    undefined,
  ],
])("a subset is routed to by %s", (_, spec, expected) => {
  expect(findReference([service(spec)], host, ["blue"])).toBe(expected);
});

test("a short name is of the namespace of the VirtualService that writes it", () => {
  expect(findReference([service({ http: [{ route: [to("blue")] }] }, "other")], host, ["blue"])).toBeUndefined();
});
