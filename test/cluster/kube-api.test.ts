import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { connectKube, readKubeContexts } from "../../src/kubernetes/connect-kube.ts";
import type { KubeApi, WatchEvent } from "../../src/kubernetes/kube-api.ts";
import { KubeError } from "../../src/kubernetes/kube-error.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../src/kubernetes/kube-object.ts";
import type { Cluster } from "./cluster.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const namespace = "kube-api";
const { configMap, virtualService } = kubeKinds;
const opened: KubeApi[] = [];

async function connect(cluster: Cluster, context = "admin"): Promise<KubeApi> {
  const api = await connectKube({ kubeconfig: cluster.api.kubeconfig, context, env: {} });
  opened.push(api);
  return api;
}

function note(name: string, data: Record<string, string> = {}): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data };
}

function route(name: string, weights: readonly [number, number]): KubeObject {
  const host = "app.team.svc.cluster.local";
  const split = [
    { destination: { host, subset: "blue" }, weight: weights[0] },
    { destination: { host, subset: "green" }, weight: weights[1] },
  ];
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace },
    spec: { hosts: [`${name}.example.com`], http: [{ route: split }] },
  };
}

async function refusalOf(work: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeError)) throw new Error(`no refusal but ${String(error)}`);
  return error;
}

async function drain(events: AsyncIterable<WatchEvent>): Promise<void> {
  for await (const event of events) expect(event.kind).toBeDefined();
}

describeCluster("the API client and a real API server", () => {
  test.beforeAll(async ({ cluster }) => {
    await cluster.restore();
    await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  });

  afterEach(async () => {
    for (const api of opened.splice(0)) await api[Symbol.asyncDispose]();
  });

  test("contexts are listed without anything secret", async ({ cluster }) => {
    const contexts = await readKubeContexts({ kubeconfig: cluster.api.kubeconfig, env: {} });
    expect(contexts.map(({ name, isCurrent }) => [name, isCurrent])).toContainEqual(["admin", true]);
    const config = await readFile(cluster.api.kubeconfig, "utf8");
    const { users } = JSON.parse(config) as { users: { user: { token: string } }[] };
    expect(users).not.toEqual([]);
    for (const { user } of users) expect(JSON.stringify(contexts)).not.toContain(user.token);
  });

  test("an object is created, read, replaced, patched and deleted", async ({ cluster }) => {
    const api = await connect(cluster);
    const created = await api.create(configMap, note("one", { a: "1" }));
    expect(created).toMatchObject({ kind: "ConfigMap", metadata: { name: "one", uid: expect.any(String) as string } });
    expect((await refusalOf(api.create(configMap, note("one")))).reason).toBe("AlreadyExists");
    const replaced = await api.replace(configMap, { ...created, data: { a: "2" } }, { fieldManager: "kirikae" });
    expect(replaced.metadata.managedFields?.map(({ manager }) => manager)).toContain("kirikae");
    await api.mergePatch(configMap, { namespace, name: "one" }, { patch: { data: { b: "ü" } } });
    expect(await api.get(configMap, { namespace, name: "one" })).toMatchObject({ data: { a: "2", b: "ü" } });
    expect(await api.delete(configMap, { namespace, name: "one" })).toBe(true);
    expect(await api.delete(configMap, { namespace, name: "one" })).toBe(false);
    expect(await api.get(configMap, { namespace, name: "one" })).toBeUndefined();
  });

  test("a write on an old version is refused, and nothing is written", async ({ cluster }) => {
    const api = await connect(cluster);
    const first = await api.create(configMap, note("raced", { a: "1" }));
    await api.replace(configMap, { ...first, data: { a: "2" } });
    const replace = await refusalOf(api.replace(configMap, { ...first, data: { a: "3" } }));
    expect(replace).toMatchObject({ code: "KIR4007", status: 409, reason: "Conflict" });
    const { name, resourceVersion } = first.metadata;
    const old = { ...note(name, { a: "4" }), metadata: { name, namespace, resourceVersion: resourceVersion ?? "" } };
    const apply = await refusalOf(api.apply(configMap, old, { fieldManager: "kirikae", force: true }));
    expect(apply).toMatchObject({ code: "KIR4007" });
    expect(await api.get(configMap, { namespace, name })).toMatchObject({ data: { a: "2" } });
  });

  test("a field of another manager is named with its owner", async ({ cluster }) => {
    const api = await connect(cluster);
    await api.apply(virtualService, route("owned", [100, 0]), { fieldManager: "flux", force: false });
    const work = api.apply(virtualService, route("owned", [0, 100]), { fieldManager: "kirikae", force: false });
    const error = await refusalOf(work);
    expect(error).toMatchObject({ code: "KIR4006", details: { owners: [{ manager: "flux", field: "spec.http" }] } });
    expect(error.message).toBe(
      "VirtualService kube-api/owned was not written, because others own its fields: spec.http belongs to flux",
    );
    const tried = await api.apply(virtualService, route("owned", [0, 100]), {
      fieldManager: "kirikae",
      force: true,
      dryRun: true,
    });
    expect(tried).toMatchObject(route("owned", [0, 100]));
    expect(await api.get(virtualService, { namespace, name: "owned" })).toMatchObject(route("owned", [100, 0]));
  });

  test("an object that is not valid is refused in the server's words", async ({ cluster }) => {
    const api = await connect(cluster);
    const error = await refusalOf(api.create(configMap, note("Not_Valid")));
    expect(error).toMatchObject({ code: "KIR4011", status: 422 });
    expect(error.message).toContain("metadata.name");
  });

  test("what RBAC forbids is named by verb, resource and namespace", async ({ cluster }) => {
    const api = await connect(cluster, "nobody");
    const error = await refusalOf(api.apply(virtualService, route("x", [1, 1]), { fieldManager: "k", force: false }));
    expect(error).toMatchObject({ code: "KIR4005", status: 403, details: { verb: "patch", namespace } });
    expect(error.message).toMatch(
      /^not allowed to patch virtualservices\.networking\.istio\.io in namespace kube-api: /u,
    );
    expect(error.hint).toContain("kubectl auth can-i patch virtualservices.networking.istio.io -n kube-api");
    const list = await refusalOf(api.list(virtualService));
    expect(list.message).toContain("not allowed to list virtualservices.networking.istio.io in all namespaces");
  });

  test("canI says what RBAC gives", async ({ cluster }) => {
    const right = { verb: "patch", group: "networking.istio.io", resource: "virtualservices", namespace };
    expect(await (await connect(cluster)).canI(right)).toBe(true);
    const nobody = await connect(cluster, "nobody");
    expect(await nobody.canI(right)).toBe(false);
    expect(await nobody.canI({ verb: "create", group: "", resource: "pods/portforward", namespace })).toBe(false);
  });

  test("a kind that is not served says what is not installed", async ({ cluster }) => {
    const api = await connect(cluster);
    const absent = { ...virtualService, group: "absent.istio.io" };
    expect(await api.serves(virtualService)).toBe(true);
    expect(await api.serves(absent)).toBe(false);
    expect(await api.serves({ ...virtualService, plural: "absents" })).toBe(false);
    const error = await refusalOf(api.list(absent));
    expect(error).toMatchObject({ code: "KIR4008", status: 404 });
    expect(error.message).toContain("Istio is not installed here");
  });

  test("an unknown token is not signed in, and is not told", async ({ cluster }) => {
    const config = JSON.parse(await readFile(cluster.api.kubeconfig, "utf8")) as {
      clusters: { cluster: { server: string } }[];
    };
    const { server } = config.clusters[0]?.cluster ?? { server: "" };
    const stranger = {
      "current-context": "x",
      contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
      clusters: [{ name: "x", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "x", user: { token: "sesame-open" } }],
    };
    const file = join(cluster.folder, "stranger.json");
    await writeFile(file, JSON.stringify(stranger));
    const api = await connectKube({ kubeconfig: file, env: {} });
    opened.push(api);
    const error = await refusalOf(api.list(configMap, { namespace }));
    expect(error).toMatchObject({ code: "KIR4009", status: 401 });
    expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain("sesame");
  });

  test("a list of many pages is whole, and its items say what they are", { timeout: 240_000 }, async ({ cluster }) => {
    const api = await connect(cluster);
    const names = Array.from({ length: 1_010 }, (_each, index) => `page-${index}`);
    for (let from = 0; from < names.length; from += 20) {
      const some = names.slice(from, from + 20);
      await Promise.all(
        some.map((name) =>
          cluster.client.apply({ ...note(name), metadata: { name, namespace, labels: { set: "pages" } } }),
        ),
      );
    }
    const list = await api.list(configMap, { namespace, labelSelector: "set=pages" });
    expect(list.items.map(({ metadata }) => metadata.name).toSorted()).toEqual(names.toSorted());
    expect(new Set(list.items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))).toEqual(
      new Set(["v1 ConfigMap"]),
    );
    expect(list.resourceVersion).toMatch(/^\d+$/u);
  });

  test("a watch tells what happens from a version on, and ends when it is told to", async ({ cluster }) => {
    const api = await connect(cluster);
    const { resourceVersion } = await api.list(configMap, { namespace, fieldSelector: "metadata.name=seen" });
    const stop = new AbortController();
    const events: WatchEvent[] = [];
    const selector = { namespace, fieldSelector: "metadata.name=seen" };
    const watching = (async () => {
      for await (const event of api.watch(configMap, { ...selector, resourceVersion, signal: stop.signal })) {
        if (event.kind === "bookmark") continue;
        events.push(event);
        if (event.kind === "deleted") break;
      }
    })();
    await api.create(configMap, note("seen", { text: "日本語 ".repeat(20_000) }));
    await api.mergePatch(configMap, { namespace, name: "seen" }, { patch: { data: { more: "1" } } });
    await api.delete(configMap, { namespace, name: "seen" });
    await watching;
    expect(events.map(({ kind }) => kind)).toEqual(["added", "modified", "deleted"]);
    expect(events[0]).toMatchObject({ object: { data: { text: "日本語 ".repeat(20_000) } } });
    const ended = api.watch(configMap, { ...selector, resourceVersion, signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await expect(drain(ended)).rejects.toThrow("aborted");
  });

  test("a watch from a forgotten version says so", async ({ cluster }) => {
    const api = await connect(cluster);
    const { resourceVersion } = await api.list(configMap, { namespace });
    await api.create(configMap, note("after"));
    // The API server keeps what it can still tell in memory.
    await cluster.api.program.restart();
    const watch = api.watch(configMap, { namespace, resourceVersion, signal: AbortSignal.timeout(20_000) });
    const error = await refusalOf(drain(watch));
    expect(error).toMatchObject({ code: "KIR4013", isExpired: true });
  });

  test("an API server that is away is unreachable, not wrong", async ({ cluster }) => {
    const api = await connect(cluster);
    expect(await api.getText("/readyz")).toBe("ok");
    await cluster.api.program.stop();
    const error = await refusalOf(api.get(configMap, { namespace, name: "after" }));
    expect(error).toMatchObject({ code: "KIR4004", isUnreachable: true });
    expect(error.message).toContain("ECONNREFUSED");
    await cluster.restore();
    expect(await api.getText("/readyz")).toBe("ok");
  });
});
