import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import { kubeKinds } from "../../src/kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../src/kubernetes/kube-object.ts";
import {
  type KindChange,
  KindStore,
  type KindStoreOptions,
  type StoreTrouble,
} from "../../src/kubernetes/kind-store.ts";
import type { Cluster } from "./cluster.ts";
import { CutConnection } from "./cut-connection.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const { configMap, virtualService, namespace: namespaceKind } = kubeKinds;
const soon = { timeout: 30_000, interval: 20 };

/** A store of its own, with what it has told. */
class WatchedStore implements AsyncDisposable {
  readonly api: KubeApi;
  readonly store: KindStore;
  readonly changes: KindChange[];
  readonly troubles: StoreTrouble[];

  private constructor(parts: Pick<WatchedStore, "api" | "store" | "changes" | "troubles">) {
    this.api = parts.api;
    this.store = parts.store;
    this.changes = parts.changes;
    this.troubles = parts.troubles;
  }

  static async start(api: KubeApi, options: Pick<KindStoreOptions, "kinds" | "namespaces">): Promise<WatchedStore> {
    const changes: KindChange[] = [];
    const troubles: StoreTrouble[] = [];
    const store = await KindStore.start({
      api,
      ...options,
      onChange: (each) => void changes.push(...each),
      onTrouble: (trouble) => void troubles.push(trouble),
    });
    return new WatchedStore({ api, store, changes, troubles });
  }

  names(namespace: string): readonly string[] {
    return this.store
      .objects(configMap)
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.name !== "kube-root-ca.crt")
      .map(({ metadata }) => metadata.name)
      .toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
  }
}

async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  await cluster.client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

function note(namespace: string, name: string, value = "1"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { value } };
}

function connect(cluster: Cluster, context = "admin"): Promise<KubeApi> {
  return connectKube({ kubeconfig: cluster.api.kubeconfig, context, env: {} });
}

/** By a connection that the test can cut. */
async function connectThrough(cluster: Cluster, cutPort: number): Promise<KubeApi> {
  const text = await readFile(cluster.api.kubeconfig, "utf8");
  const file = join(cluster.folder, `through-${cutPort}.json`);
  await writeFile(file, text.replaceAll(/https:\/\/127\.0\.0\.1:\d+/gu, `https://127.0.0.1:${cutPort}`));
  return connectKube({ kubeconfig: file, env: {} });
}

async function apiPort(cluster: Cluster): Promise<number> {
  const text = await readFile(cluster.api.kubeconfig, "utf8");
  return Number(/https:\/\/127\.0\.0\.1:(\d+)/u.exec(text)?.[1]);
}

describeCluster("a store and a real API server", () => {
  test.beforeAll(async ({ cluster }) => {
    await cluster.restore();
  });

  test("it holds what is there and follows what changes, without what nobody reads", async ({ cluster, kubectl }) => {
    const namespace = "kube-store-follow";
    await makeNamespace(cluster, namespace);
    await kubectl.apply({
      ...note(namespace, "first"),
      metadata: { name: "first", namespace, annotations: { a: "b" } },
    });
    await using watched = await WatchedStore.start(await connect(cluster), { kinds: [configMap, namespaceKind] });
    const first = watched.store.get(configMap, `${namespace}/first`);
    expect(first).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { value: "1" } });
    expect(first?.metadata.managedFields).toBeUndefined();
    expect(first?.metadata.annotations).toEqual({ a: "b" });
    expect(watched.store.get(namespaceKind, namespace)).toBeDefined();
    expect(watched.changes).toEqual([]);
    await cluster.client.create(note(namespace, "second"));
    await cluster.client.delete(note(namespace, "first"));
    await vi.waitFor(() => expect(watched.names(namespace)).toEqual(["second"]), soon);
    await vi.waitFor(() => expect(watched.changes).toHaveLength(2), soon);
    expect(watched.changes).toMatchObject([
      { name: `${namespace}/second`, before: undefined },
      { name: `${namespace}/first`, object: undefined },
    ]);
  });

  test("the answer of a write is seen at once, and an older one never takes its place", async ({ cluster }) => {
    const namespace = "kube-store-take";
    await makeNamespace(cluster, namespace);
    await using watched = await WatchedStore.start(await connect(cluster), { kinds: [configMap] });
    const { api, store } = watched;
    const created = await api.create(configMap, note(namespace, "taken"));
    store.take(created);
    expect(store.get(configMap, `${namespace}/taken`)).toMatchObject({ data: { value: "1" } });
    const replaced = await api.replace(configMap, { ...created, data: { value: "2" } });
    store.take(replaced);
    store.take(created);
    expect(store.get(configMap, `${namespace}/taken`)).toMatchObject({ data: { value: "2" } });
    await api.delete(configMap, { namespace, name: "taken" });
    await vi.waitFor(() => expect(watched.names(namespace)).toEqual([]), soon);
    // What was deleted since does not come back by a late answer.
    store.take(replaced);
    expect(watched.names(namespace)).toEqual([]);
  });

  test("what happened while nothing was heard, and is forgotten by the server, is found by a list", async ({
    cluster,
  }) => {
    const namespace = "kube-store-cut";
    await makeNamespace(cluster, namespace);
    for (const name of ["goes", "changes", "stays"]) await cluster.client.create(note(namespace, name));
    await using cut = await CutConnection.start(await apiPort(cluster));
    await using watched = await WatchedStore.start(await connectThrough(cluster, cut.port), {
      kinds: [configMap, virtualService],
    });
    const { store, changes, troubles } = watched;
    const stays = store.get(configMap, `${namespace}/stays`);
    cut.cut();
    await cluster.client.delete(note(namespace, "goes"));
    await cluster.client.apply(note(namespace, "changes", "2"));
    await cluster.client.create(note(namespace, "comes"));
    await vi.waitFor(() => expect(troubles).toMatchObject([{ kind: "lost", error: { isUnreachable: true } }]), soon);
    expect(store.isStale(0)).toBe(true);
    expect(store.isStale(60_000)).toBe(false);
    expect(watched.names(namespace)).toEqual(["changes", "goes", "stays"]);
    // The API server that starts anew knows nothing of what was before.
    await cluster.api.program.restart();
    cut.open();
    await store.whenSynced();
    expect(watched.names(namespace)).toEqual(["changes", "comes", "stays"]);
    expect(store.get(configMap, `${namespace}/changes`)).toMatchObject({ data: { value: "2" } });
    expect(store.get(configMap, `${namespace}/stays`)).toBe(stays);
    expect(store.isStale(0)).toBe(false);
    await vi.waitFor(() => expect(troubles.map(({ kind }) => kind)).toEqual(["lost", "over"]), soon);
    const own = changes.filter(({ name }) => name.startsWith(namespace)).map(({ name }) => name);
    expect(own.toSorted()).toEqual([`${namespace}/changes`, `${namespace}/comes`, `${namespace}/goes`]);
  });

  test("a killed API server that comes back is followed again, and the trouble is told once", async ({ cluster }) => {
    const namespace = "kube-store-killed";
    await makeNamespace(cluster, namespace);
    await using watched = await WatchedStore.start(await connect(cluster), { kinds: [configMap, virtualService] });
    const { store, troubles } = watched;
    await cluster.api.program.stop();
    await vi.waitFor(() => expect(store.isStale(2_000)).toBe(true), soon);
    await cluster.restore();
    await cluster.client.create(note(namespace, "after"));
    await vi.waitFor(() => expect(watched.names(namespace)).toEqual(["after"]), soon);
    await store.whenSynced();
    expect(troubles.map(({ kind }) => kind)).toEqual(["lost", "over"]);
    expect(troubles[1]).toMatchObject({ lostMs: expect.any(Number) as number });
  });

  test("an API server that stands still is noticed, and what it missed to say is told when it goes on", async ({
    cluster,
  }) => {
    const namespace = "kube-store-still";
    await makeNamespace(cluster, namespace);
    await using watched = await WatchedStore.start(await connect(cluster), { kinds: [configMap, virtualService] });
    const { store, troubles } = watched;
    cluster.api.program.pause();
    try {
      await vi.waitFor(() => expect(store.isStale(1_000)).toBe(true), soon);
      await vi.waitFor(() => expect(troubles.map(({ kind }) => kind)).toEqual(["lost"]), soon);
    } finally {
      cluster.api.program.resume();
    }
    await cluster.client.create(note(namespace, "after"));
    await store.whenSynced();
    await vi.waitFor(() => expect(watched.names(namespace)).toEqual(["after"]), soon);
    expect(troubles.map(({ kind }) => kind)).toEqual(["lost", "over"]);
  });

  test("rights for some namespaces are enough for these, and no rights are refused", async ({ cluster }) => {
    const [mine, others] = ["kube-store-mine", "kube-store-others"];
    for (const each of [mine, others]) {
      await makeNamespace(cluster, each);
      await cluster.client.create(note(each, "one"));
    }
    for (const object of readerOf(mine)) await cluster.client.apply(object);
    const api = await connect(cluster, "reader");
    await expect(WatchedStore.start(api, { kinds: [configMap] })).rejects.toMatchObject({ code: "KIR4005" });
    await using watched = await WatchedStore.start(api, { kinds: [configMap], namespaces: [mine] });
    expect(watched.names(mine)).toEqual(["one"]);
    await cluster.client.create(note(mine, "two"));
    await vi.waitFor(() => expect(watched.names(mine)).toEqual(["one", "two"]), soon);
    expect(watched.names(others)).toEqual([]);
  });
});

function readerOf(namespace: string): readonly KubeObject[] {
  const group = "rbac.authorization.k8s.io";
  return [
    {
      apiVersion: `${group}/v1`,
      kind: "Role",
      metadata: { name: "notes", namespace },
      rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata: { name: "notes", namespace },
      roleRef: { apiGroup: group, kind: "Role", name: "notes" },
      subjects: [{ apiGroup: group, kind: "User", name: "reader" }],
    },
  ];
}
