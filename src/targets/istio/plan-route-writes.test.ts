import { expect, test } from "vitest";
import { buildMeshModel } from "../../core/mesh-model.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { renderSiteSource } from "../../core/site/render-site-source.ts";
import { createSystemClock } from "../../engine/clock.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";
import { ApiPatience } from "./api-patience.ts";
import { planRouteWrites, type RouteChange, type RoutePlan } from "./plan-route-writes.ts";

const host = "web.shop.svc.cluster.local";
const arms = ["blue", "green"].map((subset) => `outbound|80|${subset}|${host}`);

function object(kind: string, name: string, spec: object): KubeObject {
  const [namespace = "", short = ""] = name.split("/");
  const metadata = { namespace, name: short, resourceVersion: "1" };
  return { apiVersion: "networking.istio.io/v1", kind, metadata, spec };
}

const route = ["blue", "green"].map((subset, at) => ({ destination: { host, subset }, weight: at === 0 ? 100 : 0 }));
const port = { number: 80, name: "http", protocol: "HTTP" };
const subsets = ["blue", "green"].map((name) => ({ name, labels: { version: name } }));
const endpoints = subsets.map(({ labels }, at) => ({ address: `10.0.0.${at + 1}`, labels }));
const common = [
  object("Gateway", "shop/web", { selector: { istio: "ingress" }, servers: [{ port, hosts: ["*"] }] }),
  object("DestinationRule", "shop/web", { host, subsets }),
  object("ServiceEntry", "shop/web", { hosts: [host], ports: [port], resolution: "STATIC", endpoints }),
];

function service(name: string, http: readonly object[]): KubeObject {
  return object("VirtualService", name, { hosts: [`${name.replace("/", ".")}.example`], gateways: ["shop/web"], http });
}

/** Rules of `evil` that hand over to a delegate of `shop`, beside rules of `shop` itself. */
const delegating = [
  ...common,
  object("VirtualService", "shop/parts", { http: [{ name: "public", route }] }),
  service("evil/web", [{ name: "hand", delegate: { name: "parts", namespace: "shop" } }]),
  service("shop/web", [{ name: "public", route }]),
];

async function plan(objects: readonly KubeObject[], change: Partial<RouteChange>): Promise<RoutePlan> {
  const find = (kind: KubeKind, { namespace, name }: ObjectName): KubeObject | undefined =>
    objects.find(
      (each) => each.kind === kind.kind && each.metadata.namespace === namespace && each.metadata.name === name,
    );
  const { table } = buildMeshModel(objects.map(renderSiteSource), { defaultNamespace: "default" });
  const all = { weights: new Map(), additions: [], takeOver: [], movedBy: "test", movedAt: "now", ...change };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked of it.
  const api = { get: async (kind: KubeKind, name: ObjectName) => find(kind, name) } as unknown as KubeApi;
  const view = {
    table,
    object: find,
    objects: (kind: KubeKind) => objects.filter((each) => each.kind === kind.kind),
    take() {},
  };
  return await planRouteWrites(all, { api, view, patience: new ApiPatience(createSystemClock()) });
}

function toGreen(split: string): RouteChange["weights"] {
  return new Map([[split, { [arms[0] ?? ""]: 0, [arms[1] ?? ""]: 100 }]]);
}

function preview(release: string, split: string): OwnedAddition {
  const marks = [{ headers: { "x-version": { kind: "exact", value: "green" } }, cookies: {}, query: {} }];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a preview as a release has it, in short.
  return {
    release,
    addition: { kind: "preview", name: "t", to: { [split]: arms[1] }, marks },
  } as unknown as OwnedAddition;
}

function written(found: RoutePlan): readonly string[] {
  return found.kind === "writes"
    ? found.writes.map(({ apply }) => `${apply.metadata.namespace}/${apply.metadata.name}`)
    : [];
}

test("who is confined to namespaces writes no delegate in another one", async () => {
  const found = await plan(delegating, { weights: toGreen("evil/web/hand-public"), isConfined: true });
  expect(found).toMatchObject({ kind: "refused", error: { code: "KIR4072" } });
  expect(written(await plan(delegating, { weights: toGreen("evil/web/hand-public") }))).toEqual(["shop/parts"]);
});

test("rules that somebody has handed over since keep nobody else's from moving, and are left alone", async () => {
  const change = { additions: [preview("evil/r", "evil/web/hand-public")], isConfined: true };
  expect(written(await plan(delegating, { ...change, weights: toGreen("shop/web/public") }))).toEqual(["shop/web"]);
  expect(written(await plan(delegating, change))).toEqual([]);
});

const rogue = service("evil/rogue", [
  { name: "kirikae/preview/else.where/0", route },
  { name: "public", route },
]);

test("a route of somebody else's release, or one that is called so, keeps nothing elsewhere from being laid", async () => {
  const objects = [...common, rogue, service("shop/web", [{ name: "public", route }])];
  const additions = [preview("shop/r", "shop/web/public")];
  expect(written(await plan(objects, { additions, releases: new Set(["shop/r"]) }))).toEqual(["shop/web"]);
});

test("who is confined takes no routes of its releases away in other namespaces", async () => {
  const named = service("evil/rogue", [
    { name: "kirikae/preview/shop.r/0", route },
    { name: "public", route },
  ]);
  const releases = new Set(["shop/r"]);
  expect(written(await plan([...common, named], { releases, isConfined: true }))).toEqual([]);
  expect(written(await plan([...common, named], { releases }))).toEqual(["evil/rogue"]);
});
