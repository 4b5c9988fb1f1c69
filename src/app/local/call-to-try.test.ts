import { expect, test } from "vitest";
import { buildMeshModel } from "../../core/mesh-model.ts";
import { findCallToTry } from "./call-to-try.ts";

const text = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 9080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: front, namespace: shop}
spec: {labels: {app: front}, addresses: ["127.0.0.1:9"]}
`;
const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });

test("a request to copy names the port of the service, not 80, where only the rule stands", () => {
  expect(findCallToTry(table, [{ virtualService: "shop/reviews" }])).toEqual({
    from: "shop/front",
    url: "http://reviews:9080/",
  });
});

test("there is none where no rule that can be moved takes requests inside the mesh", () => {
  expect(findCallToTry(table, [])).toBeUndefined();
});
