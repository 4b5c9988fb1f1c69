import { EventEmitter, on } from "node:events";
import { expect, test } from "vitest";
import type { Access, KubeApi, WatchEvent, WatchOptions } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject } from "../../../kubernetes/kube-object.ts";
import { WatchedObjects, type WatchOptions as Options } from "./watched-objects.ts";

const apiVersion = "networking.istio.io/v1";

function virtualService(name: string, ...gateways: readonly string[]): KubeObject {
  return { apiVersion, kind: "VirtualService", metadata: { namespace: "shop", name }, spec: { gateways } };
}

function gateway(namespace: string): KubeObject {
  return { apiVersion, kind: "Gateway", metadata: { namespace, name: "public" }, spec: {} };
}

/** A cluster whose user has some rights in some namespaces, and none in the whole. */
class LimitedCluster {
  readonly #objects = new Map<KubeKind, readonly KubeObject[]>();
  /** As many listeners as there are watches. */
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #rights: ReadonlySet<string>;
  #version = 1;

  /** @param rights such as `gateways in edge` */
  constructor(...rights: readonly string[]) {
    this.#rights = new Set(rights);
  }

  add(kind: KubeKind, ...objects: readonly KubeObject[]): void {
    for (const { metadata, ...rest } of objects) {
      this.#version += 1;
      const object = { ...rest, metadata: { ...metadata, resourceVersion: String(this.#version) } };
      this.#objects.set(kind, [...(this.#objects.get(kind) ?? []), object]);
      this.#changes.emit(`${kind.plural} in ${metadata.namespace}`, { kind: "added", object } satisfies WatchEvent);
    }
  }

  get api(): KubeApi {
    const api: Partial<KubeApi> = {
      serves: (kind) => Promise.resolve(kind !== kubeKinds.httpRoute),
      canI: ({ resource, namespace }: Access) => Promise.resolve(this.#rights.has(`${resource} in ${namespace}`)),
      list: (kind, { namespace } = {}) => {
        if (!this.#rights.has(`${kind.plural} in ${namespace}`)) {
          return Promise.reject(new KubeError("KIR4005", "not allowed", { exitStatus: 3, status: 403 }));
        }
        const items = (this.#objects.get(kind) ?? []).filter(({ metadata }) => metadata.namespace === namespace);
        return Promise.resolve({ resourceVersion: String(this.#version), items });
      },
      watch: (kind, options) => this.#watch(kind, options),
      get: () => Promise.resolve(undefined),
      getText: () => Promise.resolve("ok"),
    };
    return api as KubeApi;
  }

  async *#watch(kind: KubeKind, { namespace, signal, onOpen }: WatchOptions): AsyncIterable<WatchEvent> {
    try {
      const events = on(this.#changes, `${kind.plural} in ${namespace}`, { signal });
      onOpen?.();
      for await (const [event] of events) yield event as WatchEvent;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function start(cluster: LimitedCluster, options: Partial<Options> = {}): Promise<WatchedObjects> {
  return WatchedObjects.start({
    api: cluster.api,
    namespaces: ["shop"],
    istioNamespace: "istio-system",
    onChange: () => undefined,
    onTrouble: ({ kind }) => expect.unreachable(kind),
    ...options,
  });
}

const inShop = ["virtualservices in shop", "gateways in shop", "pods in shop"];
const publicGateway = { namespace: "edge", name: "public" };

test("Gateways of other namespaces are watched as soon as a route names them", async () => {
  const cluster = new LimitedCluster(...inShop, "gateways in edge", "gateways in late", "pods in late");
  cluster.add(kubeKinds.virtualService, virtualService("web", "edge/public"));
  cluster.add(kubeKinds.gateway, gateway("edge"), gateway("late"));
  const changed: string[] = [];
  await using objects = await start(cluster, { onChange: (all) => changed.push(...all.map(({ name }) => name)) });
  expect(objects.object(kubeKinds.gateway, publicGateway)).toMatchObject({ kind: "Gateway" });
  expect(objects.objects(kubeKinds.gateway)).toHaveLength(1);
  const places = objects.unseen.filter(({ kind }) => kind === kubeKinds.pod).map(({ namespace }) => namespace);
  expect(places).toEqual([undefined, "istio-system", "edge"]);

  cluster.add(kubeKinds.virtualService, virtualService("new", "late/public"));
  await expect.poll(() => changed).toContain("late/public");
  expect(objects.objects(kubeKinds.gateway).map(({ metadata }) => metadata.namespace)).toEqual(["edge", "late"]);
  // Whoever looks when it is told of the change finds the object.
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "late", name: "gateway-1" } };
  cluster.add(kubeKinds.pod, pod);
  await expect.poll(() => objects.objects(kubeKinds.pod).map(({ metadata }) => metadata.name)).toEqual(["gateway-1"]);
});

test("a controller of one namespace looks no further than there, and where its routes have their Gateways", async () => {
  const kinds = Object.values(kubeKinds).filter((kind) => kind !== kubeKinds.httpRoute);
  const everywhere = ["shop", "istio-system"].flatMap((place) => kinds.map(({ plural }) => `${plural} in ${place}`));
  const ofCluster = ["namespaces in undefined", "virtualservices in undefined"];
  const cluster = new LimitedCluster(...everywhere, ...ofCluster, "gateways in edge");
  cluster.add(kubeKinds.virtualService, virtualService("web", "edge/public"), virtualService("mesh"));
  const foreign = virtualService("foreign", "late/public");
  cluster.add(kubeKinds.virtualService, { ...foreign, metadata: { ...foreign.metadata, namespace: "other" } });
  cluster.add(kubeKinds.gateway, gateway("edge"), gateway("late"));
  await using objects = await start(cluster, { rights: "namespaces" });
  const names = objects.objects(kubeKinds.virtualService).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["web", "mesh"]);
  expect(objects.object(kubeKinds.gateway, publicGateway)).toBeDefined();
  expect(objects.objects(kubeKinds.gateway)).toHaveLength(1);
  // Nobody needs to have given it this right.
  expect(objects.unseen.map(({ kind }) => kind)).toContain(kubeKinds.ingressClass);
});

test("a kind is watched wherever it may be, and a namespace without the right hides no other", async () => {
  const cluster = new LimitedCluster(...inShop, "pods in istio-system", "virtualservices in istio-system");
  cluster.add(kubeKinds.gateway, { ...gateway("shop") });
  await using objects = await start(cluster);
  expect(objects.objects(kubeKinds.gateway)).toHaveLength(1);
  expect(objects.unseen).toContainEqual(
    expect.objectContaining({ kind: kubeKinds.gateway, namespace: "istio-system" }),
  );
  expect(objects.unseen.map(({ kind }) => kind)).not.toContain(kubeKinds.httpRoute);
});

test("routes that may be seen nowhere are a refusal, and so is any right that was meant to be there", async () => {
  await expect(start(new LimitedCluster("gateways in shop"))).rejects.toMatchObject({ status: 403 });
  const cluster = new LimitedCluster(...inShop);
  await expect(start(cluster, { rights: "namespaces" })).rejects.toMatchObject({ status: 403 });
});
