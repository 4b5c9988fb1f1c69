import { expect, test } from "vitest";
import { buildMeshModel } from "../mesh-model.ts";
import { describePassedOn, passesUnknown } from "./passed-on.ts";

const model = (policy: string) =>
  buildMeshModel(
    [
      {
        path: "mesh.yaml",
        text: `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}, {name: https, port: 443}]}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: front, namespace: shop}
spec: {labels: {app: front}, addresses: ["127.0.0.1:9"]}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec: {outboundTrafficPolicy: {mode: ${policy}}}
`,
      },
    ],
    { defaultNamespace: "default" },
  );

test("a workload reaches what the mesh does not know, unless it is kept to the registry", () => {
  expect(passesUnknown(model("ALLOW_ANY").table, "shop/front")).toBe(true);
  expect(passesUnknown(model("REGISTRY_ONLY").table, "shop/front")).toBe(false);
  expect(passesUnknown(model("ALLOW_ANY").table, "shop/nobody")).toBe(false);
});

test.each([
  ["nowhere.example", 80, "the mesh knows no service nowhere.example"],
  ["reviews", 80, "reviews.shop.svc.cluster.local has the ports 9080, 443 and not 80"],
  ["reviews:443", 443, "port 443 of reviews.shop.svc.cluster.local is not served to this caller in this form"],
])("what is asked for as %s at port %i is passed on, and why", (authority, port, why) => {
  const { mesh } = model("ALLOW_ANY");
  expect(describePassedOn(mesh, { authority, port, namespace: "shop" })).toContain(`${why}, so that ALLOW_ANY`);
});
