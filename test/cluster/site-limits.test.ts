import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { KubeObject } from "./kube-client.ts";
import { describeCluster, test as base } from "./shared-cluster.ts";
import { readWeights } from "./site-reads.ts";
import { appHostOf, appPort, buildVirtualService, publicHostOf } from "./site-objects.ts";
import { Site } from "./site.ts";

const namespace = "limits";
/** Where the Gateway of the app is, as platform teams have it. */
const edge = "limits-edge";
const istio = "networking.istio.io/v1";
const rbac = "rbac.authorization.k8s.io";

const test = base.extend("site", { scope: "file" }, async ({ cluster }, { onCleanup }) => {
  const site = await Site.start({ cluster, namespace });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

/** Objects that go when this is disposed of. */
async function put({ cluster: { client } }: Site, objects: readonly KubeObject[]): Promise<AsyncDisposable> {
  for (const object of objects) await client.apply(object);
  return {
    async [Symbol.asyncDispose]() {
      for (const object of objects.toReversed()) await client.deleteIfThere(object);
    },
  };
}

describeCluster("what a user of a site cannot see at once", { timeout: 120_000 }, () => {
  test("with rights in single namespaces, up finds the Gateways of others", async ({ site, kubectl }) => {
    const { client } = site.cluster;
    await client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: edge } });
    const own = { apiVersion: istio, kind: "Gateway", metadata: { name: "app", namespace } };
    const spec = (await client.find(own))?.["spec"];
    await client.apply({ ...own, metadata: { name: "app", namespace: edge }, spec });
    const routes = buildVirtualService(site.shape);
    await client.apply({ ...routes, spec: { ...Object(routes["spec"]), gateways: [`${edge}/app`] } });
    await client.deleteIfThere(own);
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => {
      await client.apply({ ...own, spec });
      await client.apply(routes);
    });
    const printed = await site.kirikae(["doctor", "--rbac", "-n", namespace]);
    await kubectl.apply(printed.stdout);
    stack.defer(async () => void (await kubectl.run(["delete", "-f", "-"], { input: printed.stdout })));
    const bindings = [namespace, edge, "istio-system"].map((place) => ({
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: { name: "limits", namespace: place },
      roleRef: { apiGroup: rbac, kind: "Role", name: "kirikae-mover" },
      subjects: [{ apiGroup: rbac, kind: "User", name: "releaser" }],
    }));
    stack.use(await put(site, bindings));

    const up = await site.up("releaser", ["-n", namespace]);
    const switched = await site.kirikae(["switch", "app", "-n", namespace, "--to", "green"], "releaser");
    expect(switched, switched.stdout + switched.stderr).toMatchObject({ exitCode: 0 });
    expect(await readWeights(site)).toEqual({ blue: 0, green: 100 });
    const [gateway] = site.gateways;
    if (gateway === undefined) throw new Error("no gateway");
    expect(await site.ask(gateway)).toBe("green");
    expect(await up.stop()).toBe(0);

    // The same where a release is carried out without an up.
    const file = join(site.sandbox.root, "back.yaml");
    const release = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata: { name: "back", namespace } };
    const back = {
      routes: [{ virtualService: "app", route: "public" }],
      to: "blue",
      strategy: { steps: [{ switch: {} }] },
    };
    await writeFile(file, JSON.stringify({ ...release, spec: back }));
    const started = await site.kirikae(["start", file, "-n", namespace], "releaser");
    expect(started, started.stdout + started.stderr).toMatchObject({ exitCode: 0 });
    expect(await readWeights(site)).toEqual({ blue: 100, green: 0 });
  });

  test("rules inside the mesh reach a sidecar that no pod shows", async ({ site }) => {
    const host = appHostOf(site.shape);
    const to = (subset: string, weight: number) => ({
      destination: { host, subset, port: { number: appPort } },
      weight,
    });
    const inside = {
      apiVersion: istio,
      kind: "VirtualService",
      metadata: { name: "inside", namespace },
      spec: { hosts: [host], http: [{ name: "inner", route: [to("blue", 100), to("green", 0)] }] },
    };
    await using routed = await put(site, [inside]);
    const args = ["switch", "inside", "-n", namespace, "--to", "green"];
    const alone = await site.kirikae(args);
    expect(alone).toMatchObject({ exitCode: 2 });
    expect(alone.stderr).toContain("served at no gateway");

    const address = site.cluster.place.takeAddress();
    const caller = { role: "sidecar", name: "bare", namespace, labels: { app: "bare" }, address } as const;
    await using bare = await site.cluster.startProxy(caller);
    await whenTold(() => bare.admin.get("/config_dump?resource=dynamic_route_configs"), "inside");
    const moved = await site.kirikae(args);
    expect(moved, moved.stdout + moved.stderr).toMatchObject({ exitCode: 0 });
    expect(moved.stdout).toContain(`bare.${namespace}`);
    expect(await bare.admin.get("/config_dump?resource=dynamic_route_configs")).toContain("|green|");

    // The same under an up that watches.
    const up = await site.up();
    const back = await site.kirikae(["switch", "inside", "-n", namespace, "--to", "blue"]);
    expect(back, back.stdout + back.stderr).toMatchObject({ exitCode: 0 });
    expect(await up.stop()).toBe(0);
  });

  test("an Ingress is read, and routes of the Gateway API are named", async ({ site, kubectl }) => {
    const backend = { service: { name: "web", port: { number: 80 } } };
    const old = `old.${publicHostOf(namespace)}`;
    const web = { name: "web", namespace };
    await using served = await put(site, [
      { apiVersion: "v1", kind: "Service", metadata: web, spec: { ports: [{ name: "http", port: 80 }] } },
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { ...web, annotations: { "kubernetes.io/ingress.class": "istio" } },
        spec: { rules: [{ host: old, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }] },
      },
    ]);
    const explained = await site.kirikae(["explain", "--url", `http://${old}/`, "--json"]);
    expect(JSON.parse(explained.stdout)).toMatchObject({ outcome: "route", madeFrom: `Ingress ${namespace}/web` });
    expect(explained.stderr).not.toContain("not read");
    expect((await site.kirikae(["routes", "--host", old])).stdout).toContain(`Ingress ${namespace}/web`);

    await using defined = await put(site, [buildRouteKind()]);
    await kubectl.run(["wait", "--for=condition=Established", "crd/httproutes.gateway.networking.k8s.io"]);
    const host = publicHostOf(namespace);
    await using attached = await put(site, [
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "beside", namespace },
        spec: { parentRefs: [{ name: "shared" }], hostnames: [host] },
      },
    ]);
    const beside = await site.kirikae(["explain", "--url", `http://${host}/`]);
    expect(beside.stderr).toContain(`not read  HTTPRoute ${namespace}/beside (${host})`);
    expect((await site.kirikae(["explain", "--url", `http://${old}/`])).stderr).not.toContain("HTTPRoute");
    expect((await site.kirikae(["routes"])).stderr).toContain(`HTTPRoute ${namespace}/beside`);
    const checked = await site.kirikae(["check", "-n", namespace, "--json"]);
    const resource = `HTTPRoute ${namespace}/beside`;
    expect(JSON.parse(checked.stdout)).toContainEqual(expect.objectContaining({ code: "KIR1313", resource }));
  });
});

async function whenTold(read: () => Promise<string>, word: string): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!(await read()).includes(word)) {
    if (performance.now() > deadlineMs) throw new Error(`the proxy was told nothing of ${word}`);
    await delay(50);
  }
}

/** As much of the definition as an object of it needs. */
function buildRouteKind(): KubeObject {
  const group = "gateway.networking.k8s.io";
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `httproutes.${group}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, for a test" },
    },
    spec: {
      group,
      names: { kind: "HTTPRoute", plural: "httproutes", singular: "httproute" },
      scope: "Namespaced",
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
}
