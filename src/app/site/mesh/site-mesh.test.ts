import { expect, test } from "vitest";
import type { MoveRequest } from "../../../core/release/move/move.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { SiteMesh } from "./site-mesh.ts";
import { ListedObjects } from "../objects/site-objects.ts";

const istio = "networking.istio.io/v1";
const metadata = { name: "web", namespace: "shop" };
const host = "web.shop.svc.cluster.local";

function to(subset: string, weight: number): object {
  return { destination: { host, subset }, weight };
}

/** The subsets that a table leads to. */
function subsetsIn({ destinations }: SiteMesh["table"]): readonly (string | undefined)[] {
  return [...destinations.values()].map(({ subset }) => subset);
}

function virtualService(green: number): KubeObject {
  const http = [{ name: "public", route: [to("blue", 100 - green), to("green", green)] }];
  const spec = { hosts: ["shop.example.com"], gateways: ["web"], http };
  return { apiVersion: istio, kind: "VirtualService", metadata, spec };
}

function rulesOf({ spec }: KubeObject): readonly object[] {
  return (spec as { readonly http: readonly object[] }).http;
}

/** A shop behind a server of https, whose Secret nobody may read. */
function shop(): { readonly mesh: SiteMesh; readonly objects: ListedObjects } {
  const objects = new ListedObjects();
  const port = { number: 443, name: "https", protocol: "HTTPS" };
  const servers = [{ port, hosts: ["*"], tls: { mode: "SIMPLE", credentialName: "shop-tls" } }];
  const subsets = ["blue", "green"].map((version) => ({ name: version, labels: { version } }));
  const endpoints = subsets.map(({ labels }, index) => ({ address: `10.0.0.${index + 1}`, labels }));
  objects.add(kubeKinds.virtualService, [virtualService(10)]);
  objects.add(kubeKinds.gateway, [
    { apiVersion: istio, kind: "Gateway", metadata, spec: { selector: { istio: "ingressgateway" }, servers } },
  ]);
  objects.add(kubeKinds.destinationRule, [
    { apiVersion: istio, kind: "DestinationRule", metadata, spec: { host, subsets } },
  ]);
  const ports = [{ number: 80, name: "http", protocol: "HTTP" }];
  objects.add(kubeKinds.serviceEntry, [
    {
      apiVersion: istio,
      kind: "ServiceEntry",
      metadata,
      spec: { hosts: [host], ports, resolution: "STATIC", location: "MESH_INTERNAL", endpoints },
    },
  ]);
  const options = { context: "prod", objects, defaultNamespace: "default", istioNamespace: "istio-system" };
  return { mesh: new SiteMesh(options), objects };
}

test("has the live weights as the declared ones, and takes the answer to a write", () => {
  const { mesh } = shop();
  const split = "shop/web/public";
  expect(Object.values(mesh.weights(split) ?? {})).toEqual([90, 10]);
  expect(mesh.services()).toMatchObject([{ virtualService: "shop/web", isMoved: false }]);
  mesh.take(virtualService(100));
  expect(Object.values(mesh.weights(split) ?? {})).toEqual([0, 100]);
  expect(mesh.placements().size).toBe(0);
  expect(mesh.refresh()).toBe(false);
});

test("notices that routes of kirikae's own came and went, though the table leaves them out", () => {
  const { mesh, objects } = shop();
  mesh.refresh();
  const { table } = mesh;
  const live = virtualService(10);
  const own = { name: "kirikae/preview/shop.to-green/1-abc", route: [to("green", 100)] };
  objects.take({ ...live, spec: { hosts: ["shop.example.com"], gateways: ["web"], http: [own, ...rulesOf(live)] } });
  expect([mesh.refresh(), mesh.refresh()]).toEqual([true, false]);
  objects.take(live);
  expect([mesh.refresh(), mesh.refresh()]).toEqual([true, false]);
  expect(mesh.table).toBe(table);
});

test("serves what needs a Secret, and says nothing of Secrets that it does not read", () => {
  const { mesh } = shop();
  expect(mesh.table.listeners.map(({ port }) => port)).toEqual([443]);
  expect(mesh.model.diagnostics.filter(({ level }) => level === "error")).toEqual([]);
  expect(mesh.model.diagnostics.filter(({ at }) => at?.file.startsWith("Secret ") === true)).toEqual([]);
});

test("says what is wrong with the objects of now, whether rules have changed or whole objects came and went", () => {
  const { mesh, objects } = shop();
  const errors = () => mesh.model.diagnostics.filter(({ level }) => level === "error").map(({ resource }) => resource);
  expect(errors()).toEqual([]);
  const lost = { ...virtualService(10), spec: withPurple(virtualService(10).spec) };
  mesh.take(lost);
  expect(errors()).toContain("VirtualService shop/web");
  mesh.take(virtualService(10));
  expect(errors()).toEqual([]);
  objects.take({ ...lost, metadata: { ...lost.metadata, name: "other" } });
  mesh.refresh();
  expect(errors()).toContain("VirtualService shop/other");
});

test("reads Ingresses as Istio does, and says what of the Gateway API it does not read", () => {
  const { mesh, objects } = shop();
  const backend = { service: { name: "app", port: { number: 80 } } };
  const spec = {
    ingressClassName: "istio",
    tls: [{ hosts: ["old.example.com"], secretName: "old-tls" }],
    rules: [{ host: "old.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
  };
  const status = { loadBalancer: {} };
  objects.add(kubeKinds.ingress, [{ apiVersion: "", kind: "", metadata: { ...metadata, name: "old" }, spec, status }]);
  objects.add(kubeKinds.ingressClass, [
    { apiVersion: "", kind: "", metadata: { name: "istio" }, spec: { controller: "istio.io/ingress-controller" } },
  ]);
  const parentRefs = [{ name: "shared", namespace: "infra" }];
  objects.add(kubeKinds.httpRoute, [
    { apiVersion: "", kind: "", metadata, spec: { parentRefs, hostnames: ["shop.example.com"], rules: [] } },
  ]);
  mesh.refresh();
  const domains = mesh.table.httpRoutings.flatMap(({ virtualHosts }) => virtualHosts.map(({ domain }) => domain));
  expect(domains).toContain("old.example.com");
  expect(mesh.table.listeners.map(({ port }) => port)).toEqual([80, 443]);
  const names = mesh.table.listeners.flatMap(({ filterChains }) => filterChains.flatMap((each) => each.serverNames));
  expect(names).toContain("old.example.com");
  const found = mesh.model.diagnostics.map(({ code, resource }) => `${code} ${resource}`);
  expect(found).toContain("KIR1313 HTTPRoute shop/web");
  expect(found.filter((each) => each.startsWith("KIR1300"))).toEqual([]);
  expect(() => mesh.plan(switchTo("app"), [])).toThrow("Ingress has no weights");
});

test("plans with subsets that a Release is going to add, and leaves its own table as it is", () => {
  const { mesh } = shop();
  const added = { name: "purple", labels: { version: "purple" } };
  const subsets = [{ namespace: "shop", destinationRule: "web", add: [added], remove: [] }];
  const spec = { subsets } as unknown as Parameters<SiteMesh["tableFor"]>[0];
  mesh.take({ ...virtualService(10), spec: withPurple(virtualService(10).spec) });
  expect(subsetsIn(mesh.table)).not.toContain("purple");
  expect(subsetsIn(mesh.tableFor(spec))).toContain("purple");
  expect(subsetsIn(mesh.table)).not.toContain("purple");
  expect(mesh.sites.findDestinationRule("shop/web")).toMatchObject({
    host,
    subsets: [{ name: "blue" }, { name: "green" }],
  });
});

test("serves rules for callers inside the mesh to the sidecars that istiod lists where no pod has one", () => {
  const { mesh, objects } = shop();
  expect(mesh.lacksSidecars).toBe(false);
  const http = [{ name: "inner", route: [to("blue", 100), to("green", 0)] }];
  const inner = { ...virtualService(10), metadata: { ...metadata, name: "inner" }, spec: { hosts: [host], http } };
  objects.take(inner);
  mesh.refresh();
  expect(mesh.lacksSidecars).toBe(true);
  const plan = () => mesh.plan(switchTo("inner"), []);
  expect(plan).toThrow("served at no gateway");
  expect(mesh.tellSidecars(new Set(["bare.other"]))).toBe(true);
  expect(mesh.weights("shop/inner/inner")).toEqual({
    [`outbound|80|blue|${host}`]: 100,
    [`outbound|80|green|${host}`]: 0,
  });
  expect(plan()).toMatchObject({ virtualService: "shop/inner" });
  // Who has been told goes on asking, because sidecars end.
  expect(mesh.lacksSidecars).toBe(true);
  expect(mesh.tellSidecars(new Set())).toBe(true);
  expect(plan).toThrow("served at no gateway");
});

function switchTo(name: string): MoveRequest {
  const to = { green: 100 };
  return { verb: "switch", name, namespace: "shop", route: undefined, to, actor: "test", reason: undefined };
}

function withPurple(spec: unknown): unknown {
  const { http, ...rest } = spec as { readonly http: readonly { readonly route: readonly object[] }[] };
  const rules = http.map((rule) => ({
    ...rule,
    route: [...rule.route, { destination: { host, subset: "purple" }, weight: 0 }],
  }));
  return { ...rest, http: rules };
}
