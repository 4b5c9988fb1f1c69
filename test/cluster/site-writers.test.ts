import { expect } from "vitest";
import type { KubeObject } from "./kube-client.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { Site, viewRecords } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";
import { readWeights } from "./site-reads.ts";
import { SiteReleases } from "./site-releases.ts";

const namespace = "writers";

const test = base.extend("site", { scope: "file" }, async ({ cluster }, { onCleanup }) => {
  const site = await Site.start({ cluster, namespace });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

describeCluster("others who write the same objects", { timeout: 120_000 }, () => {
  test.beforeEach(async ({ cluster, site }) => {
    // Who owned its fields goes with it.
    await cluster.client.deleteIfThere(buildVirtualService(site.shape));
    await cluster.client.create(buildVirtualService(site.shape));
    for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
  });

  test("two people at the same time: no step is half done, and what is live is what one of them wanted", async ({
    site,
  }) => {
    await using other = Site.beside(site);
    await using load = await site.startLoad();
    const both = await Promise.all([
      site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]),
      other.kirikae(["shift", "app", "-n", namespace, "--to", "green=30"]),
    ]);
    expect(both.some(({ exitCode }) => exitCode === 0)).toBe(true);
    expect([
      { blue: 0, green: 100 },
      { blue: 70, green: 30 },
    ]).toContainEqual(await readWeights(site));
    expect(viewRecords(await load.stop())).toMatchObject({ failed: 0 });
  });

  test("a human edits the weights in the middle: the release stops, and theirs stay", async ({ site, kubectl }) => {
    await using releases = await SiteReleases.start(site);
    await releases.release("edited", "strategy: { canary: { weights: [10], hold: 1h } }");
    await releases.whenPhase("edited", "holding");
    await kubectl.apply(buildVirtualService(site.shape, { blue: 40, green: 60 }), [
      "--server-side",
      "--force-conflicts",
    ]);
    const { message } = await releases.whenPhase("edited", "failed");
    expect(message).toContain("blue 40 % and green 60 %");
    expect(await readWeights(site)).toEqual({ blue: 40, green: 60 });
    await releases.tell("abort", "edited");
    expect(await readWeights(site)).toEqual({ blue: 40, green: 60 });
  });

  test("a human takes a preview out in the middle: the release stops, and lays it again when it is told to go on", async ({
    site,
    kubectl,
  }) => {
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    const tester = { "x-tester": "1" };
    const preview = `{ name: testers, match: [{ headers: { x-tester: { exact: "1" } } }] }`;
    await using releases = await SiteReleases.start(site);
    await releases.release("stripped", `strategy: { steps: [{ preview: ${preview} }, { hold: {} }, { switch: {} }] }`);
    await releases.whenPhase("stripped", "holding");
    expect(await site.ask(gateway, tester)).toBe("green");
    const remaining = (buildVirtualService(site.shape)["spec"] as { readonly http: unknown }).http;
    const patch = JSON.stringify({ spec: { http: remaining } });
    await kubectl.run(["patch", "virtualservice", "app", "-n", namespace, "--type", "merge", "-p", patch]);
    const { message } = await releases.whenPhase("stripped", "failed");
    expect(message).toContain(
      `somebody else has taken the preview of the release out of VirtualService ${namespace}/app; retry`,
    );
    await expect.poll(() => site.ask(gateway, tester)).toBe("blue");
    await releases.tell("retry", "stripped");
    await releases.whenPhase("stripped", "holding");
    await expect.poll(() => site.ask(gateway, tester), { timeout: 20_000 }).toBe("green");
    await releases.tell("promote", "stripped");
    await releases.whenPhase("stripped", "done");
    expect(await readWeights(site)).toEqual({ blue: 0, green: 100 });
  });

  test("fields that another tool applies are a conflict, and nothing is written", async ({ site, kubectl }) => {
    const flux = ["--server-side", "--force-conflicts", "--field-manager=kustomize-controller"];
    await kubectl.apply(buildVirtualService(site.shape), flux);
    const switched = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"]);
    expect(switched.exitCode).not.toBe(0);
    expect(switched.stdout + switched.stderr).toContain("belong to kustomize-controller");
    // What was never written is not restored.
    expect(switched.stdout + switched.stderr).not.toContain("Restored");
    expect(await readWeights(site)).toMatchObject({ blue: 100 });
  });

  test("RBAC forbids the second of two writes: the first is taken back", async ({ site, cluster }) => {
    for (const object of buildOtherTeam(site)) await cluster.client.apply(object);
    await using releases = await SiteReleases.start(site, "releaser");
    await releases.release(
      "forbidden",
      "strategy: { blueGreen: {} }",
      `[{ virtualService: app }, { virtualService: ${other}/app }]`,
    );
    const { message } = await releases.whenPhase("forbidden", "failed");
    expect(message).toContain(other);
    expect(await readWeights(site)).toMatchObject({ blue: 100 });
    for (const gateway of site.gateways) expect(await site.ask(gateway)).toBe("blue");
    for (const object of buildOtherTeam(site)) await cluster.client.deleteIfThere(object);
  });
});

const other = "writers-other";

/** Another team's VirtualService on the same gateways, which the releaser may read and not write. */
function buildOtherTeam(site: Site): readonly KubeObject[] {
  const hosts = ["other.example.com"];
  const { spec } = buildVirtualService(site.shape) as KubeObject & { readonly spec: object };
  const rbac = "rbac.authorization.k8s.io";
  const subjects = [{ kind: "User", name: "releaser", apiGroup: rbac }];
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: other } },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "app", namespace: other },
      spec: {
        selector: { istio: namespace },
        servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts }],
      },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "app", namespace: other },
      spec: { ...spec, hosts },
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata: { name: "releaser" },
      rules: [
        { apiGroups: ["*"], resources: ["*"], verbs: ["get", "list", "watch"] },
        { apiGroups: [""], resources: ["pods/portforward"], verbs: ["create"] },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: "releaser" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "releaser" },
      subjects,
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "Role",
      metadata: { name: "releaser", namespace },
      rules: [{ apiGroups: ["networking.istio.io"], resources: ["virtualservices"], verbs: ["patch"] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: { name: "releaser", namespace },
      roleRef: { apiGroup: rbac, kind: "Role", name: "releaser" },
      subjects,
    },
  ];
}
