import { setTimeout as delay } from "node:timers/promises";
import { describe, expect } from "vitest";
import type { SplitWeights, WeightOverrides } from "../../src/core/routes/route-table.ts";
import type { MovePlan } from "../../src/core/release/move/move.ts";
import type { OwnedAddition } from "../../src/core/routes/route-addition.ts";
import { splitsOf, weightsOf } from "../../src/core/routes/weights.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import { describeTarget, type TargetFixture } from "../contract/target.contract.ts";
import type { Cluster } from "./cluster.ts";
import { describeCluster, test } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { epochNowMs } from "../load/load-clock.ts";
import { openTarget, type TargetOfSite } from "./site-target.fixture.ts";
import { appHostOf, buildDestinationRule, buildVirtualService } from "./site-objects.ts";
import type { KubeObject } from "./kube-client.ts";

const timeoutMs = 30_000;

describeCluster("the Istio of a cluster", () => {
  let site: Site;
  let cluster: Cluster;

  test.beforeAll(async ({ cluster: shared }) => {
    cluster = shared;
    await cluster.restore();
    site = await Site.start({ cluster, namespace: "site-target", gateways: 2 });
  });

  test.afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  describeTarget({
    name: "SiteTarget",
    timeoutMs,
    async createFixture(): Promise<TargetFixture> {
      const opened = await openTarget(site);
      return {
        target: opened.target,
        splits: opened.splits(),
        async sendRequests(perSplit) {
          for (const headers of [{}, { "x-preview": "green" }]) {
            for (let count = 0; count < perSplit; count += 1) {
              const gateway = site.gateways[count % site.gateways.length];
              if (gateway === undefined) throw new Error("no gateway");
              expect(await site.ask(gateway, headers)).toBeDefined();
            }
          }
        },
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  });

  /** Everything on the first version, as the proxies show it. */
  async function reset(): Promise<void> {
    await using opened = await openTarget(site);
    const weights = new Map(
      [...opened.splits()].map(([split, arms]) => [split, sharesOf(arms, split.endsWith("public") ? "blue" : "green")]),
    );
    const report = await opened.target.apply(weights, { timeoutMs, takeOver: ["kubectl", "flux"] });
    if (report.kind !== "proved") throw new Error(JSON.stringify(report));
  }

  describe("SiteTarget", () => {
    test.beforeEach(reset);
    test.afterEach(async () => {
      for (const { proxy } of site.gateways) proxy.program.resume();
      await cluster.restore();
    });

    test("waits for a proxy that is stopped, and names it when the time is over", async () => {
      await using opened = await openTarget(site);
      site.gateways[1]?.proxy.program.pause();
      const told: string[] = [];
      const report = await opened.target.apply(turnTo(opened, "green"), {
        timeoutMs: 2_500,
        onProgress: (text) => told.push(text),
      });
      expect(report).toMatchObject({
        kind: "unproved",
        message: "1 of 2 proxies confirmed; gateway-2.site-target unreachable",
      });
      expect(told).toContain("1 of 2 proxies confirmed; gateway-2.site-target unreachable");
    });

    test("goes on without a proxy that is stopped where it may, and says so", async () => {
      await using opened = await openTarget(site);
      site.gateways[1]?.proxy.program.pause();
      const report = await opened.target.apply(turnTo(opened, "green"), { timeoutMs, unreachable: "goOn" });
      expect(report).toMatchObject({
        kind: "proved",
        note: "1 of 2 proxies confirmed; gateway-2.site-target unreachable",
      });
    });

    test("takes istiod's word for a proxy whose admin interface nobody reaches", async () => {
      await using opened = await openTarget(site, { hidden: ["gateway-2"] });
      const report = await opened.target.apply(turnTo(opened, "green"), { timeoutMs });
      expect(report).toMatchObject({ kind: "proved", proxies: [{}, {}] });
      await using plain = await openTarget(site);
      const [observed] = await plain.target.observe([...turnTo(plain, "green").keys()]);
      expect(observed?.weights).toMatchObject(sharesOf(observed?.weights ?? {}, "green"));
    });

    test("refuses where somebody else applies the rules, and writes nothing", async ({ kubectl }) => {
      await using opened = await openTarget(site);
      await kubectl.run(["apply", "--server-side", "--force-conflicts", "--field-manager=flux", "-f", "-"], {
        input: JSON.stringify(buildVirtualService(site.shape)),
      });
      const preflight = await opened.target.preflight(planSwitch(opened));
      expect(preflight).toMatchObject({ ok: false });
      expect(preflight.checks).toContainEqual(
        expect.objectContaining({ verdict: "fail", detail: expect.stringContaining("KIR4006") }),
      );
      const report = await opened.target.apply(turnTo(opened, "green"), { timeoutMs });
      expect(report).toMatchObject({ kind: "rejected", resource: "VirtualService site-target/app" });
      expect(report.kind === "rejected" && report.message).toContain("flux");
      const taken = await opened.target.apply(turnTo(opened, "green"), { timeoutMs, takeOver: ["flux"] });
      expect(taken).toMatchObject({ kind: "proved" });
    });

    test("refuses where the weights are no longer those that it was planned on", async ({ kubectl }) => {
      await using opened = await openTarget(site);
      await kubectl.apply(buildVirtualService(site.shape, { blue: 60, green: 40 }));
      const report = await opened.target.apply(turnTo(opened, "green"), { timeoutMs });
      expect(report).toMatchObject({ kind: "rejected", resource: "VirtualService site-target/app" });
      await using fresh = await openTarget(site);
      expect([...fresh.splits().values()]).toContainEqual(
        expect.objectContaining({ "outbound|8000|blue|app.site-target.test": 60 }),
      );
    });

    test("survives an API server that goes away when it is about to write", async () => {
      const back: Promise<void>[] = [];
      await using opened = await openTarget(site, {
        async beforeWriting() {
          await cluster.api.program.stop();
          back.push(delay(5_000).then(() => cluster.api.program.start()));
        },
      });
      expect(await opened.target.apply(turnTo(opened, "green"), { timeoutMs })).toMatchObject({ kind: "proved" });
      await Promise.all(back);
    });

    test("takes the first of two writes back where RBAC forbids the second", async () => {
      const second = secondService(site);
      const rights = rightsFor("releaser", site.namespace);
      await cluster.client.apply(second);
      for (const right of rights) await cluster.client.apply(right);
      try {
        await using opened = await openTarget(site, { user: "releaser" });
        const own = turnTo(opened, "green");
        const other = [...splitsOf(opened.mesh.table)].find(([split]) => split.startsWith("team/second/"));
        expect(other).toBeDefined();
        const weights = new Map([
          ...own,
          [other?.[0] ?? "", sharesOf(other === undefined ? {} : weightsOf(other[1]), "green")],
        ]);
        const report = await opened.target.apply(weights, { timeoutMs });
        expect(report).toMatchObject({ kind: "rejected", resource: "VirtualService team/second" });
        expect(report.kind === "rejected" && report.message).toContain("VirtualService site-target/app was taken back");
        await using fresh = await openTarget(site);
        expect(turnTo(fresh, "blue")).toEqual(
          new Map([...fresh.splits()].filter(([split]) => split.endsWith("public"))),
        );
      } finally {
        for (const object of [second, ...rights]) await cluster.client.delete(object);
      }
    });

    test("asks the sidecars of callers inside the mesh, and names a pod that is connected to no istiod", async () => {
      const { pods, client, place } = cluster;
      if (pods === undefined) throw new Error("no pods");
      const namespace = "site-target-callers";
      const labels = { app: "caller", "service.istio.io/canonical-name": "caller" };
      const address = place.takeAddress();
      const inside = meshService(site);
      await client.apply({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels: { "istio-injection": "enabled" } },
      });
      await client.apply(inside);
      await pods.add({ namespace, name: "caller", labels, address });
      await using caller = await cluster.startProxy({ role: "sidecar", name: "caller", namespace, labels, address });
      try {
        await using opened = await openTarget(site, { proxies: [caller] });
        const weights = new Map(
          [...opened.splits()]
            .filter(([split]) => split.includes("/inside/"))
            .map(([split, arms]) => [split, sharesOf(arms, "green")]),
        );
        expect(weights.size).toBe(1);
        const report = await opened.target.apply(weights, { timeoutMs });
        expect(report).toMatchObject({ kind: "proved", proxies: [{ node: `caller.${namespace}` }] });
        expect(await opened.target.observe([...weights.keys()])).toMatchObject([
          { weights: { "outbound|8000|green|app.site-target.test": 100 } },
        ]);
        await pods.add({ namespace, name: "lost", labels, address: place.takeAddress() });
        const back = new Map([...weights].map(([split, arms]) => [split, sharesOf(arms, "blue")]));
        expect(await opened.target.apply(back, { timeoutMs: 2_000 })).toMatchObject({
          kind: "unproved",
          message: `1 of 2 proxies confirmed; lost.${namespace} is not connected to istiod`,
        });
      } finally {
        await pods.remove(namespace, "lost");
        await pods.remove(namespace, "caller");
        await client.delete(inside);
      }
    });

    test("counts on a gateway that is connected, whatever is said of its pod, and moves nothing that no proxy serves", async () => {
      const { pods } = cluster;
      await pods?.remove("site-target", "gateway-2");
      try {
        await using opened = await openTarget(site);
        expect(await opened.target.apply(turnTo(opened, "green"), { timeoutMs })).toMatchObject({
          kind: "proved",
          proxies: [{ node: "gateway-1.site-target" }, { node: "gateway-2.site-target" }],
        });
        await pods?.remove("site-target", "gateway-1");
        await using alone = await openTarget(site, { replicas: [] });
        const preflight = await alone.target.preflight(planSwitch(alone, "blue"));
        expect(preflight.checks).toContainEqual({
          name: "proxies",
          verdict: "fail",
          detail: "no gateway or sidecar that istiod knows serves site-target/app",
        });
      } finally {
        for (const { name, address } of site.gateways) {
          const labels = { istio: "site-target", "kirikae.test/gateway": name };
          await pods?.add({ namespace: "site-target", name, labels, address });
        }
      }
    });

    test("lays a preview and takes it away", async () => {
      await using opened = await openTarget(site);
      const [gateway] = site.gateways;
      if (gateway === undefined) throw new Error("no gateway");
      const [split = ""] = turnTo(opened, "green").keys();
      const addition: OwnedAddition = {
        release: "site-target/r1",
        addition: {
          kind: "preview",
          name: "testers",
          to: { [split]: "outbound|8000|green|app.site-target.test" },
          marks: [{ headers: { "x-tester": { kind: "exact", value: "1" } }, cookies: {}, query: {} }],
        },
      };
      await opened.target.lay([addition]);
      expect(await site.ask(gateway, { "x-tester": "1" })).toBe("green");
      expect(await site.ask(gateway)).toBe("blue");
      // A move keeps what is laid, and what is live stays readable beside it.
      expect(await opened.target.apply(turnTo(opened, "green"), { timeoutMs })).toMatchObject({ kind: "proved" });
      expect(await opened.target.apply(turnTo(opened, "blue"), { timeoutMs })).toMatchObject({ kind: "proved" });
      expect(await site.ask(gateway, { "x-tester": "1" })).toBe("green");
      await opened.target.lay([]);
      expect(await site.ask(gateway, { "x-tester": "1" })).toBe("blue");
    });

    test("gives a DestinationRule a subset before anything routes to it, and takes away only what nothing routes to", async () => {
      await using opened = await openTarget(site, { drainMs: 200 });
      const { target } = opened;
      const destinationRule = "site-target/app";
      const canary = { name: "canary", labels: { version: "green" } };
      const order = ["canary", "blue", "green"];
      const added = await target.editSubsets({ destinationRule, add: [canary], remove: [], order }, { timeoutMs });
      expect(added).toMatchObject({ kind: "proved", proxies: [{}, {}] });
      const written = opened.mesh.object(kubeKinds.destinationRule, { namespace: "site-target", name: "app" })?.[
        "spec"
      ];
      expect(written).toMatchObject({ subsets: order.map((name) => ({ name })) });
      for (const { proxy } of site.gateways) {
        expect(await proxy.admin.get("/clusters")).toContain("outbound|8000|canary|app.site-target.test::");
      }
      const refused = await target.editSubsets(
        { destinationRule, add: [], remove: [{ name: "blue", labels: { version: "blue" } }] },
        { timeoutMs },
      );
      expect(refused).toMatchObject({ kind: "rejected" });
      expect(refused.kind === "rejected" && refused.message).toContain("still routes to the subset blue");
      const removed = await target.editSubsets({ destinationRule, add: [], remove: [canary] }, { timeoutMs });
      expect(removed).toMatchObject({ kind: "proved" });
      for (const { proxy } of site.gateways) {
        expect(await proxy.admin.get("/clusters")).not.toContain("outbound|8000|canary|");
      }
      expect(
        opened.mesh.object(kubeKinds.destinationRule, { namespace: "site-target", name: "app" })?.["spec"],
      ).toEqual(buildDestinationRule(site.shape)["spec"]);
    });

    test("moves under load: nothing fails, and nothing old answers after done", async () => {
      await using opened = await openTarget(site);
      await using load = await site.startLoad({ requestsPerSecond: 400 });
      const moves: { readonly now: string; readonly doneMs: number; untilMs: number; readonly tookMs: number }[] = [];
      for (let round = 0; round < 20; round += 1) {
        const now = round % 2 === 0 ? "green" : "blue";
        const report = await opened.target.apply(turnTo(opened, now), { timeoutMs });
        const doneMs = epochNowMs();
        if (report.kind !== "proved") throw new Error(JSON.stringify(report));
        await delay(50);
        moves.push({ now, doneMs, untilMs: epochNowMs(), tookMs: report.callToProofMs });
      }
      const records = await load.stop();
      expect(viewRecords(records)).toMatchObject({ failed: 0, byVersion: { blue: expect.any(Number) } });
      const between = moves.map(({ doneMs, untilMs, now }) => ({
        now,
        records: records.filter(({ sentMs }) => sentMs > doneMs && sentMs < untilMs),
      }));
      // A window without requests would show nothing.
      expect(between.reduce((sum, each) => sum + each.records.length, 0)).toBeGreaterThan(100);
      for (const { now, records: seen } of between) expect(seen.filter(({ version }) => version !== now)).toEqual([]);
      const sorted = moves.map(({ tookMs }) => Math.round(tookMs)).toSorted((left, right) => left - right);
      console.info(`call to proof of 20 moves: ${sorted.at(0)} / ${sorted.at(10)} / ${sorted.at(-1)} ms`);
    });

    test("does not call done what a replica of istiod that is paused does not know", async () => {
      const second = await cluster.startIstiod("istiod-2");
      try {
        await using opened = await openTarget(site, { replicas: [cluster.istiod, second] });
        expect(await opened.target.apply(turnTo(opened, "green"), { timeoutMs })).toMatchObject({ kind: "proved" });
        second.program.pause();
        const report = await opened.target.apply(turnTo(opened, "blue"), { timeoutMs: 3_500 });
        expect(report).toMatchObject({ kind: "unproved" });
        expect(report.kind === "unproved" && report.message).toContain("istiod istiod-2 does not answer");
      } finally {
        await second.program.stop();
        await cluster.pods?.remove("istio-system", "istiod-2");
      }
    });

    test("takes back what a proxy refuses", async () => {
      const filter = brokenRoutes(site);
      await using opened = await openTarget(site);
      await cluster.client.apply(filter);
      try {
        const report = await opened.target.apply(turnTo(opened, "green"), { timeoutMs });
        expect(report).toMatchObject({ kind: "rejected", node: "gateway-2.site-target", resource: "route" });
        expect([...opened.splits()]).toEqual(
          [...opened.splits()].map(([split, arms]) => [
            split,
            sharesOf(arms, split.endsWith("public") ? "blue" : "green"),
          ]),
        );
        // The next one is not even begun, and what goes back goes without it.
        const detail: unknown = expect.stringContaining("KIR4043 gateway-2.site-target refuses its routes already: ");
        const checksOf = async (plan: MovePlan) => (await opened.target.preflight(plan)).checks;
        const forward = planSwitch(opened);
        await expect.poll(() => checksOf(forward)).toContainEqual({ name: "proxies", verdict: "fail", detail });
        const checks = await checksOf({ ...forward, verb: "rollback" });
        expect(checks).toContainEqual({ name: "proxies", verdict: "unknown", detail });
        const back = await opened.target.apply(turnTo(opened, "green"), { timeoutMs, isWayBack: true });
        expect(back).toMatchObject({ kind: "proved", passedOver: ["gateway-2.site-target"] });
        const again = await opened.target.apply(turnTo(opened, "blue"), { timeoutMs, isWayBack: true });
        expect(again).toMatchObject({ kind: "proved", proxies: [{}, {}] });
      } finally {
        await cluster.client.delete(filter);
      }
    });
  });
});

/** The public rule alone, on one version. */
function turnTo(opened: TargetOfSite, version: string): WeightOverrides {
  const own = [...opened.splits()].filter(([split]) => split.endsWith("public"));
  return new Map(own.map(([split, arms]) => [split, sharesOf(arms, version)]));
}

function planSwitch({ mesh }: TargetOfSite, version = "green"): MovePlan {
  const request = { verb: "switch", name: "app", namespace: "site-target", route: "public" } as const;
  return mesh.plan({ ...request, to: { [version]: 100 }, actor: "test", reason: undefined }, []);
}

/** 100 for one version of the arms, 0 for the others. */
function sharesOf(arms: SplitWeights, version: string): SplitWeights {
  return Object.fromEntries(Object.keys(arms).map((id) => [id, id.includes(`|${version}|`) ? 100 : 0]));
}

/** Another VirtualService on the same gateway, in a namespace of its own. */
function secondService(site: Site): KubeObject {
  const object = buildVirtualService(site.shape);
  const { hosts, http } = object["spec"] as {
    readonly hosts: unknown;
    readonly http: readonly { readonly name: string }[];
  };
  const rule = http.find(({ name }) => name === "public");
  return {
    ...object,
    metadata: { name: "second", namespace: "team" },
    spec: {
      hosts,
      gateways: [`${site.namespace}/app`],
      http: [{ ...rule, name: "second", match: [{ uri: { prefix: "/second" } }] }],
    },
  };
}

/** For callers inside the mesh alone. */
function meshService(site: Site): KubeObject {
  const object = buildVirtualService(site.shape);
  const { http } = object["spec"] as { readonly http: readonly { readonly name: string }[] };
  return {
    ...object,
    metadata: { name: "inside", namespace: site.namespace },
    spec: { hosts: [appHostOf(site.shape)], http: [{ ...http.find(({ name }) => name === "public"), name: "inside" }] },
  };
}

/** To look at everything, and to write in one namespace. */
function rightsFor(user: string, namespace: string): readonly KubeObject[] {
  const group = "rbac.authorization.k8s.io";
  const subjects = [{ apiGroup: group, kind: "User", name: user }];
  const metadata = { name: `site-target-${user}` };
  return [
    {
      apiVersion: `${group}/v1`,
      kind: "ClusterRole",
      metadata,
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: group, kind: "ClusterRole", ...metadata },
      subjects,
    },
    {
      apiVersion: `${group}/v1`,
      kind: "Role",
      metadata: { ...metadata, namespace },
      rules: [
        { apiGroups: ["networking.istio.io"], resources: ["virtualservices"], verbs: ["patch", "update", "create"] },
      ],
    },
    {
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata: { ...metadata, namespace },
      roleRef: { apiGroup: group, kind: "Role", ...metadata },
      subjects,
    },
  ];
}

/** One gateway is sent a route that Envoy does not take. */
function brokenRoutes({ namespace }: Site): KubeObject {
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "broken", namespace },
    spec: {
      workloadSelector: { labels: { "kirikae.test/gateway": "gateway-2" } },
      configPatches: [
        {
          applyTo: "HTTP_ROUTE",
          match: { context: "GATEWAY" },
          patch: { operation: "MERGE", value: { match: { safe_regex: { regex: "(" } } } },
        },
      ],
    },
  };
}
