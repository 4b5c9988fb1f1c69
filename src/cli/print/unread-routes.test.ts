import { expect, test } from "vitest";
import { buildMeshModel } from "../../core/mesh-model.ts";
import { plainInk } from "../ink.ts";
import { noteUnreadRoutes } from "./unread-routes.ts";

function route(name: string, hostnames: readonly string[]): string {
  const spec = { parentRefs: [{ name: "shared" }], hostnames };
  return JSON.stringify({ apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata: { name }, spec });
}

function noted(routes: readonly string[], host?: string): readonly string[] {
  const lines: string[] = [];
  const sources = routes.map((text, index) => ({ path: `${index}.yaml`, text }));
  const { mesh } = buildMeshModel(sources, { defaultNamespace: "shop" });
  noteUnreadRoutes(mesh, host, { note: (line) => lines.push(line), noteInk: plainInk });
  return lines;
}

test("routes that are not read are named where they may take the requests that are asked about", () => {
  const routes = [route("a", ["a.example.com"]), route("b", ["*.example.org"]), route("c", [])];
  expect(noted(routes, "A.example.com")).toEqual([
    "not read  HTTPRoute shop/a (a.example.com), HTTPRoute shop/c (hosts of its Gateway) of the Kubernetes Gateway API",
  ]);
  expect(noted(routes.slice(0, 2), "example.net")).toEqual([]);
  expect(noted([])).toEqual([]);
});

test("of many routes some are named", () => {
  const routes = ["a", "b", "c", "d", "e"].map((name) => route(name, [`${name}.test`]));
  expect(noted(routes)).toEqual([
    "not read  HTTPRoute shop/a (a.test), HTTPRoute shop/b (b.test), HTTPRoute shop/c (c.test) and 2 more of the Kubernetes Gateway API",
  ]);
});
