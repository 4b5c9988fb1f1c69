import { expect, test } from "vitest";
import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "../mesh/build-mesh.ts";
import { visibilityFrom } from "./virtual-service-binding.ts";

test.each([
  ["[]", "public", "public"],
  ['["."]', "private", "hidden"],
  ['[".", "web"]', "private", "exported"],
  ["[shop, web]", "private", "exported"],
  ["[web]", "hidden", "exported"],
  ['["~"]', "hidden", "hidden"],
])("exportTo %s of a rule in shop is %s there and %s in web", (exportTo, inShop, inWeb) => {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app, namespace: shop}
spec: {hosts: [a.test], gateways: [g], exportTo: ${exportTo}, http: [{directResponse: {status: 200}}]}`;
  const { manifests } = parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" });
  const [virtualService] = buildMesh(manifests).mesh.virtualServices;
  if (virtualService === undefined) throw new Error("not read");
  expect(visibilityFrom(virtualService, { namespace: "shop", byDefault: ["*"] })).toBe(inShop);
  expect(visibilityFrom(virtualService, { namespace: "web", byDefault: ["*"] })).toBe(inWeb);
});
