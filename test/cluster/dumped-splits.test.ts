import { expect } from "vitest";
import { addRoutes } from "../../src/core/routes/add-routes.ts";
import { buildMeshModel } from "../../src/core/mesh-model.ts";
import type { OwnedAddition } from "../../src/core/routes/route-addition.ts";
import type { RouteTable, SplitId, SplitWeights } from "../../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../src/core/routes/weights.ts";
import { planSiteWrites, type SiteWrite } from "../../src/core/site/plan-site-writes.ts";
import { readDumpedOwnRoutes, readDumpedSplits } from "../../src/core/site/read-dumped-splits.ts";
import { readSync } from "../../src/core/site/read-sync.ts";
import { renderSiteSource } from "../../src/core/site/render-site-source.ts";
import type { SiteObject } from "../../src/core/site/site-object.ts";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import type { Cluster } from "./cluster.ts";
import { IstiodSide } from "./istiod-side.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import type { KubeObject } from "./kube-client.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const namespace = "dumped";
const host = "web.dumped.svc.cluster.local";
const to = (subset: string, weight?: number) => ({
  destination: { host: "web", subset },
  ...(weight === undefined ? {} : { weight }),
});

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace }, spec };
}

const objects: readonly KubeObject[] = [
  object("Gateway", "gw", {
    selector: { istio: "ingressgateway" },
    servers: [
      { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*.dumped.test"] },
      { port: { number: 81, name: "http-81", protocol: "HTTP" }, hosts: ["web.dumped.test"] },
    ],
  }),
  object("ServiceEntry", "web", {
    hosts: [host],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [{ number: 8080, name: "http", protocol: "HTTP" }],
    endpoints: ["blue", "green"].map((version, at) => ({ address: `127.0.0.${at + 2}`, labels: { version } })),
  }),
  object("DestinationRule", "web", {
    host,
    subsets: ["blue", "green"].map((version) => ({ name: version, labels: { version } })),
  }),
  object("VirtualService", "older", {
    hosts: ["web.dumped.test"],
    gateways: ["gw"],
    http: [{ match: [{ uri: { prefix: "/older" } }], route: [to("blue")] }],
  }),
  object("VirtualService", "web", {
    hosts: ["web.dumped.test", "also.dumped.test"],
    gateways: ["gw"],
    http: [
      {
        name: "api",
        match: [{ uri: { prefix: "/api" } }, { headers: { "x-api": { exact: "1" } } }],
        timeout: "5s",
        route: [to("blue", 90), to("green", 10)],
      },
      { match: [{ uri: { exact: "/old" } }], redirect: { uri: "/" } },
      { name: "team", match: [{ uri: { prefix: "/team" } }], delegate: { name: "team" } },
      { name: "rest", route: [to("blue")] },
    ],
  }),
  object("VirtualService", "team", {
    http: [{ name: "all", route: [{ ...to("blue"), headers: { request: { set: { "x-v": "1" } } } }] }],
  }),
];

/** What a proxy shows by its own word, and what istiod has told it. */
async function readBoth(cluster: Cluster, proxy: IstioProxy): Promise<readonly unknown[]> {
  const own: unknown = JSON.parse(await proxy.admin.get("/config_dump?resource=dynamic_route_configs"));
  return [own, await cluster.istiod.debug(`/debug/config_dump?proxyID=${proxy.id}`)];
}

function shares(weights: SplitWeights): SplitWeights {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([arm, weight]) => [arm, weight / total]));
}

function viewOf(live: readonly SiteObject[]): RouteTable {
  return buildMeshModel(live.map(renderSiteSource), { defaultNamespace: namespace }).table;
}

function splitsIn(table: RouteTable): ReadonlyMap<SplitId, SplitWeights> {
  const own = [...splitsOf(table)].filter(([id]) => id.startsWith(`${namespace}/`));
  return new Map(own.map(([id, split]) => [id, weightsOf(split)]));
}

describeCluster("what istiod and a real Envoy show", () => {
  test("is read rule by rule, before and while a release has its routes there, and goes back to what it was", async ({
    cluster,
  }) => {
    await cluster.restore();
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const side = await IstiodSide.start(cluster);
    await using gateway = side.gateway;
    await using api = await connectKube({ context: "admin", kubeconfig: cluster.api.kubeconfig, env: {} });
    const created = (await side.replaceCase(objects)) as unknown as readonly SiteObject[];
    const table = viewOf(created);
    const before = splitsIn(table);
    expect([...before.keys()].map((id) => id.split("/")[2])).toEqual(
      expect.arrayContaining(["api", "team-all", "rest"]),
    );
    const expectShown = async (shown: RouteTable, wanted: ReadonlyMap<SplitId, SplitWeights>): Promise<void> => {
      for (const dump of await readBoth(cluster, gateway)) {
        const read = readDumpedSplits(dump, { table: shown, splits: [...wanted.keys()] });
        for (const [id, weights] of wanted) {
          const found = read.get(id);
          expect([id, typeof found === "object" ? shares(found) : found]).toEqual([id, shares(weights)]);
        }
      }
    };
    await expectShown(table, before);

    const wanted = new Map([...before].map(([id, weights]) => [id, third(weights)] as const));
    const green = [...splitsOf(table).values()].flatMap(({ arms }) => arms.map(({ destination }) => destination));
    const arm = green.find((id) => id.includes("|green|")) ?? "";
    const marks = [{ headers: { "x-staff": { kind: "exact", value: "1" } }, cookies: {}, query: {} }] as const;
    const on = Object.fromEntries([...before.keys()].filter((id) => !id.includes("/older/")).map((id) => [id, arm]));
    const additions: readonly OwnedAddition[] = [
      { release: "dumped/web", addition: { kind: "preview", name: "staff", to: on, marks } },
      { release: "dumped/web", addition: { kind: "mirror", to: on, percent: 12.5, methods: ["GET"] } },
    ];
    const write = async (plan: ReturnType<typeof planSiteWrites>): Promise<void> => {
      if (plan.kind === "refused") throw plan.error;
      for (const each of plan.writes) await applyWrite(each);
      await side.settle();
    };
    const applyWrite = async ({ object: applied }: SiteWrite): Promise<void> => {
      await api.apply(kubeKinds.virtualService, applied, { fieldManager: "kirikae", force: true });
    };
    await write(planSiteWrites({ objects: created, table, weights: wanted, additions }));
    const live = await readLive(cluster);
    const liveTable = viewOf([...created.filter(({ kind }) => kind !== "VirtualService"), ...live]);
    expect(splitsIn(liveTable)).toEqual(wanted);
    await expectShown(liveTable, wanted);
    await expectShown(addRoutes(liveTable, additions), wanted);
    for (const dump of await readBoth(cluster, gateway)) {
      const own = readDumpedOwnRoutes(dump).filter(({ virtualService }) => virtualService === "dumped/web");
      expect(own).toHaveLength(3);
      for (const { names } of own) expect(names.toSorted()).toEqual(namesIn(live));
    }
    const proxy = readSync(await cluster.istiod.debug("/debug/syncz")).find((each) => each.proxy === gateway.id);
    expect(proxy?.types.route?.acked?.push).toBe(proxy?.types.route?.sent?.push);
    expect(proxy?.kind).toBe("router");

    await write(planSiteWrites({ objects: live, table: liveTable, weights: before, additions: [] }));
    const after = await readLive(cluster);
    expect(after.map(({ metadata }) => metadata.name)).toEqual(live.map(({ metadata }) => metadata.name));
    for (const { metadata, spec } of after) {
      expect(spec).toEqual(
        created.find((each) => each.kind === "VirtualService" && each.metadata.name === metadata.name)?.spec,
      );
      expect(metadata.annotations?.["kirikae.dev/added"]).toBeUndefined();
    }
    await expectShown(table, before);
    for (const each of objects) await cluster.client.deleteIfThere(each);
  }, 120_000);
});

/** Shares that no rule has had. */
function third(weights: SplitWeights): SplitWeights {
  const arms = Object.keys(weights);
  return Object.fromEntries(arms.map((arm, at) => [arm, at === 0 ? 1 : 2]));
}

async function readLive(cluster: Cluster): Promise<readonly SiteObject[]> {
  const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
  const { items } = JSON.parse(await cluster.client.get(path)) as { readonly items: readonly SiteObject[] };
  return items.map((item) => ({ ...item, apiVersion: "networking.istio.io/v1", kind: "VirtualService" }));
}

/** Each own route once, of the VirtualService and of what it delegates to. */
function namesIn(live: readonly SiteObject[]): readonly string[] {
  const rules = live.flatMap(({ spec }) => (spec as { readonly http: readonly { readonly name?: string }[] }).http);
  return [...new Set(rules.flatMap(({ name = "" }) => (name.startsWith("kirikae/") ? [name] : [])))].toSorted();
}
