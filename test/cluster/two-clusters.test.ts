import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, inject } from "vitest";
import { eventually } from "../e2e/product.ts";
import { epochNowMs } from "../load/load-clock.ts";
import type { KubeClient, KubeObject } from "./kube-client.ts";
import { Kubectl } from "./kubectl.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { readWeights } from "./site-reads.ts";
import { buildVirtualService } from "./site-objects.ts";
import type { Site, SiteView } from "./site.ts";
import { TwoSites } from "./two-sites.ts";

const namespace = "both";

const test = base.extend("two", { scope: "file" }, async ({ programs }, { onCleanup }) => {
  if (programs.kind === "missing") throw new Error("a program is missing");
  const two = await TwoSites.start({ ...programs, envoy: inject("envoyBinary").path }, namespace);
  onCleanup(() => two[Symbol.asyncDispose]());
  return two;
});

const clean = { failed: 0, oldAfterDone: 0 };

/** What clients see of an app of which nothing is moved. */
function unmoved({ requests }: SiteView): SiteView {
  return { requests, failed: 0, oldAfterDone: 0, byVersion: { blue: requests } };
}

const green = { blue: 0, green: 100 };
const blue = { blue: 100, green: 0 };

async function whenWritten(site: Site, weights: Readonly<Record<string, number>>): Promise<void> {
  await eventually("the weights are written", async () =>
    (await readWeights(site))["green"] === weights["green"] ? true : undefined,
  );
}

/** The gateway of a site takes nothing until the work is over, so that no step of it can end. */
async function whilePaused({ gateways }: Site, work: (resume: () => void) => Promise<void>): Promise<void> {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error("no gateway");
  const resume = () => gateway.proxy.program.resume();
  gateway.proxy.program.pause();
  try {
    await work(resume);
  } finally {
    resume();
  }
}

describeCluster("one release in two clusters", { timeout: 120_000 }, () => {
  test.beforeEach(({ two }) => two.reset());

  test("one after the other, and together back, in the foreground", async ({ two }) => {
    await using load = await two.startLoad();
    const file = await two.write(
      "to-green",
      "sites: { contexts: [west, east] }\nto: green\nstrategy: { canary: { weights: [50] } }",
    );
    const done = await two.kirikae(["start", file]);
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    expect(await load.view({ doneMs: done.endMs, now: "green" })).toMatchObject({ east: clean, west: clean });
    expect([await readWeights(two.east), await readWeights(two.west)]).toEqual([green, green]);
    const history = await two.kirikae(["history", "--json"]);
    const moved = JSON.parse(history.stdout) as readonly {
      readonly virtualService: string;
      readonly outcome: string;
    }[];
    const moves = moved.filter(({ outcome }) => outcome !== undefined);
    expect(moves.map(({ virtualService, outcome }) => `${virtualService} ${outcome}`)).toEqual([
      `west:${namespace}/app done`,
      `east:${namespace}/app done`,
      `west:${namespace}/app done`,
      `east:${namespace}/app done`,
    ]);

    await using back = await two.startLoad();
    const to = await two.write("to-blue", "to: blue\nstrategy: { blueGreen: {} }");
    const ended = await two.kirikae(["start", to]);
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    expect(await back.view({ doneMs: ended.endMs, now: "blue" })).toMatchObject({ east: clean, west: clean });
  });

  test("one API server stands still in the middle of a step: both keep their traffic, and it goes on", async ({
    two,
  }) => {
    await using up = await two.up();
    await using load = await two.startLoad();
    const { program } = two.west.cluster.api;
    await whilePaused(two.west, async (resume) => {
      await up.start("holds", "to: green\nstrategy: { blueGreen: {} }");
      await whenWritten(two.east, green);
      await whenWritten(two.west, green);
      program.pause();
      try {
        resume();
        // Its istiod and its proxies are reached through it, so that nothing of it can be proved.
        await two.whenAnswered("green");
        await delay(6_000);
        expect(await up.status("holds")).toMatchObject({ phase: "moving" });
      } finally {
        program.resume();
      }
    });
    await up.whenPhase("holds", "done");
    const view = await load.view({ doneMs: epochNowMs(), now: "green" });
    expect(view).toMatchObject({ east: clean, west: clean });
  });

  test("a gateway of the second refuses the routes: the first is taken back", async ({ two }) => {
    await using up = await two.up();
    await using load = await two.startLoad();
    const filter = buildRefusal(two.west);
    const { client } = two.west.cluster;
    try {
      await whilePaused(two.west, async (resume) => {
        await client.apply(filter);
        await up.start("refused", "to: green\nstrategy: { blueGreen: {} }");
        await whenWritten(two.east, green);
        await whenWritten(two.west, green);
        resume();
        const { message } = await up.whenPhase("refused", "failed");
        expect(message).toMatch(/gateway-1\.both refused route/u);
      });
      expect([await readWeights(two.east), await readWeights(two.west)]).toEqual([blue, blue]);
    } finally {
      await client.deleteIfThere(filter);
    }
    await up.tell("abort", "refused");
    await two.whenAnswered("blue");
    const { east, west } = await load.view();
    expect(east.failed).toBe(0);
    expect(west).toEqual(unmoved(west));
  });

  test("a right is missing in the second: the first is taken back", async ({ two }) => {
    await using looking = await grantLook(two.west.cluster.client);
    await using up = await two.up(["east", "limited"]);
    await using load = await two.startLoad();
    await up.start("forbidden", "to: green\nstrategy: { blueGreen: {} }");
    const { message } = await up.whenPhase("forbidden", "failed");
    expect(message).toContain("patch");
    expect([await readWeights(two.east), await readWeights(two.west)]).toEqual([blue, blue]);
    await up.tell("abort", "forbidden");
    await two.whenAnswered("blue");
    const { east, west } = await load.view();
    expect(east.failed).toBe(0);
    expect(west).toEqual(unmoved(west));
  });

  test("the second belongs to somebody else: nothing is written in either", async ({ two, programs }) => {
    await using up = await two.up();
    await using load = await two.startLoad();
    if (programs.kind === "missing") throw new Error("a program is missing");
    const { kubeconfig } = two.west.cluster.api;
    const kubectl = new Kubectl({ path: join(programs.kubectl, "kubectl"), kubeconfig });
    const flux = ["--server-side", "--force-conflicts", "--field-manager=kustomize-controller"];
    await kubectl.apply(buildVirtualService(two.west.shape), flux);
    await up.start("owned", "to: green\nstrategy: { blueGreen: {} }");
    const { message } = await up.whenPhase("owned", "failed");
    expect(message).toContain("kustomize-controller");
    expect([await readWeights(two.east), await readWeights(two.west)]).toEqual([blue, blue]);
    const { east, west } = await load.view();
    expect([east, west]).toEqual([unmoved(east), unmoved(west)]);
    await up.tell("abort", "owned");
  });

  test("killed when the first is done and the second is not: the next up ends it", async ({ two }) => {
    await using load = await two.startLoad();
    await using first = await two.up();
    await whilePaused(two.west, async (resume) => {
      await first.start("resumed", "sites: { contexts: [east, west] }\nto: green\nstrategy: { blueGreen: {} }");
      await whenWritten(two.west, green);
      expect(await readWeights(two.east)).toEqual(green);
      await first.kill();
      resume();
    });
    await using next = await two.up();
    await next.whenPhase("resumed", "done");
    const doneMs = epochNowMs();
    await two.whenAnswered("green");
    expect(await load.view({ doneMs, now: "green" })).toMatchObject({ east: clean, west: clean });
  });
});

/** All that moving takes but the right to write; it goes when this is disposed. */
async function grantLook(client: KubeClient): Promise<AsyncDisposable> {
  const api = "rbac.authorization.k8s.io";
  const metadata = { name: "two-clusters-look" };
  const ways = { apiGroups: [""], resources: ["pods/portforward", "pods/proxy"], verbs: ["get", "create"] };
  const look = { apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] };
  const objects: readonly KubeObject[] = [
    { apiVersion: `${api}/v1`, kind: "ClusterRole", metadata, rules: [look, ways] },
    {
      apiVersion: `${api}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: api, kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup: api, kind: "User", name: "releaser" }],
    },
  ];
  for (const object of objects) await client.apply(object);
  return {
    async [Symbol.asyncDispose]() {
      for (const object of objects) await client.deleteIfThere(object);
    },
  };
}

/** Envoy knows the name of the filter and refuses its settings, so that the gateway keeps the routes that it has. */
function buildRefusal({ namespace: own }: Site) {
  const nonsense = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
  };
  const value = { typed_per_filter_config: { nonsense } };
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "refusal", namespace: own },
    spec: {
      workloadSelector: { labels: { istio: own } },
      configPatches: [{ applyTo: "HTTP_ROUTE", match: { context: "GATEWAY" }, patch: { operation: "MERGE", value } }],
    },
  };
}
