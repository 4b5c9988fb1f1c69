import { KirikaeError } from "../src/core/diagnostics/error.ts";
import { buildMeshModel } from "../src/core/mesh-model.ts";
import type { RouteTable, WeightOverrides } from "../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../src/core/routes/weights.ts";
import { renderSiteSource } from "../src/core/site/render-site-source.ts";
import { httpRules, stripOwnRoutes } from "../src/core/site/own-routes.ts";
import { createSystemClock } from "../src/engine/clock.ts";
import type { KubeApi } from "../src/kubernetes/kube-api.ts";
import { KubeError } from "../src/kubernetes/kube-error.ts";
import type { KubeKind, KubeObject, ObjectName } from "../src/kubernetes/kube-object.ts";
import { SiteTarget } from "../src/targets/istio/site-target.ts";
import type { IstiodPlace, SiteView } from "../src/targets/istio/site-view.ts";

const istio = "networking.istio.io/v1";
const host = "web.shop.svc.cluster.local";
const subsets = ["blue", "green"].map((name) => ({ name, labels: { version: name } }));

/** `outbound|80|blue|web.shop.svc.cluster.local`. */
export function playedArm(version: string): string {
  return `outbound|80|${version}|${host}`;
}

export const playedSplit = "shop/web/public";

/** So much in percent for blue, and the rest for green. */
export function playedShares(blue: number): WeightOverrides {
  return new Map([[playedSplit, { [playedArm("blue")]: blue, [playedArm("green")]: 100 - blue }]]);
}

interface Weighed {
  readonly destination: { readonly subset: string };
  readonly weight?: number;
}

/**
 * A cluster without processes: an API server that keeps objects, replicas of istiod that know them at once or never, and a
 * gateway that shows what the first of them knows. Its one rule leads to blue and green.
 */
export class PlayedSite {
  readonly #objects = new Map<string, KubeObject>();
  #version = 10;
  /** How often somebody has written through the API. */
  writes = 0;
  /** More replicas of istiod, without proxies, that have read the objects as they are when one is added. */
  readonly #stale: ReadonlyMap<string, KubeObject>[] = [];
  /** Proxies that istiod lists beside the gateway, by kind, with the text of their listeners. */
  readonly listed: { readonly proxy: string; readonly kind: string; readonly listeners: string }[] = [];
  hasIstiod = true;
  hasGateway = true;
  /** Whether the first replica of istiod does not answer. */
  isIstiodSilent = false;
  /** A second gateway that starts when somebody writes for the first time, and has no routes for so long; undefined is none. */
  lateGatewayMs: number | undefined;
  #firstWriteMs: number | undefined;
  /** A further gateway that takes no routes any more: why, if it says so, and those that it had taken before. */
  #stuck: { readonly reason: string | undefined; readonly routes: object } | undefined;
  /** Whether that one does not answer. */
  isStuckOneSilent = false;

  constructor() {
    const metadata = { name: "web", namespace: "shop" };
    const port = { number: 80, name: "http", protocol: "HTTP" };
    const endpoints = subsets.map(({ labels }, at) => ({ address: `10.0.0.${at + 1}`, labels }));
    const spec = (of: object): KubeObject => ({ apiVersion: istio, kind: "", metadata, spec: of });
    this.put({ ...spec({ selector: { istio: "ingress" }, servers: [{ port, hosts: ["*"] }] }), kind: "Gateway" });
    this.put({ ...spec({ host, subsets }), kind: "DestinationRule" });
    this.put({
      ...spec({ hosts: [host], ports: [port], resolution: "STATIC", location: "MESH_INTERNAL", endpoints }),
      kind: "ServiceEntry",
    });
    this.put(this.#rules({ blue: 100, green: 0 }));
  }

  /** As somebody else writes them. */
  write(weights: Readonly<Record<string, number>>): void {
    this.put(this.#rules(weights));
  }

  put(object: KubeObject): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#objects.set(`${object.kind} ${object.metadata.name}`, { ...object, metadata });
  }

  /** From now on there is a gateway that refuses every push, and goes on with the routes of now. */
  addRefusingGateway(reason: string): void {
    this.#stuck = { reason, routes: this.#routes() };
  }

  /** The same of one that is never sent anything new. */
  addLaggingGateway(): void {
    this.#stuck = { reason: undefined, routes: this.#routes() };
  }

  /** Takes all routes of kirikae's own out, as a sync of what is in git does. */
  strip(): void {
    const live = this.#find("VirtualService", "web");
    if (live !== undefined) this.put(stripOwnRoutes(live));
  }

  /** The names of the routes in its VirtualService. */
  get rules(): readonly string[] {
    const live = this.#find("VirtualService", "web");
    return live === undefined ? [] : httpRules({ spec: live["spec"] }).map(({ name }) => String(name));
  }

  addIdleIstiod(): void {
    this.#stale.push(new Map(this.#objects));
  }

  /** With the view of a watch: it knows every write at once. */
  openTarget(): SiteTarget {
    return new SiteTarget({
      api: this.#api(),
      view: this.#view(),
      reach: {
        get: async ({ pod }, path) => this.#admin(pod.name, path),
        async [Symbol.asyncDispose]() {},
      },
      istiods: async () => this.#istiods(),
      clock: createSystemClock(),
      drainMs: 0,
    });
  }

  weights(): Readonly<Record<string, number>> {
    const split = splitsOf(this.#table()).get(playedSplit);
    return split === undefined ? {} : weightsOf(split);
  }

  #rules(weights: Readonly<Record<string, number>>): KubeObject {
    const route = Object.entries(weights).map(([subset, weight]) => ({ destination: { host, subset }, weight }));
    const spec = { hosts: ["shop.example.com"], gateways: ["web"], http: [{ name: "public", route }] };
    return { apiVersion: istio, kind: "VirtualService", metadata: { name: "web", namespace: "shop" }, spec };
  }

  #find(kind: string, name: string): KubeObject | undefined {
    return this.#objects.get(`${kind} ${name}`);
  }

  #table(): RouteTable {
    return buildMeshModel([...this.#objects.values()].map(renderSiteSource), { defaultNamespace: "default" }).table;
  }

  #view(): SiteView {
    const table = (): RouteTable => this.#table();
    return {
      get table() {
        return table();
      },
      objects: (kind: KubeKind) => [...this.#objects.values()].filter((object) => object.kind === kind.kind),
      object: (kind: KubeKind, { name }: ObjectName) => this.#find(kind.kind, name),
      take() {},
    };
  }

  #api(): KubeApi {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the calls that a target makes are played.
    return {
      context: "played",
      get: async (kind: KubeKind, { name }: ObjectName) => this.#find(kind.kind, name),
      list: async (kind: KubeKind) => ({ resourceVersion: "1", items: kind.kind === "Pod" ? this.#pods() : [] }),
      apply: async (kind: KubeKind, object: KubeObject) => {
        const before = this.#find(kind.kind, object.metadata.name);
        if (before?.metadata.resourceVersion !== object.metadata.resourceVersion)
          throw new KubeError("KIR4007", "written in between", { exitStatus: 1, status: 409 });
        this.writes += 1;
        this.#firstWriteMs ??= Date.now();
        this.put({ ...before, ...object, spec: { ...specOf(before), ...specOf(object) } });
        return this.#find(kind.kind, object.metadata.name);
      },
    } as unknown as KubeApi;
  }

  #pods(): readonly KubeObject[] {
    return [
      ...(this.hasGateway ? [gatewayPod("gateway-1")] : []),
      ...(this.lateGatewayMs === undefined ? [] : [gatewayPod("gateway-2")]),
      ...(this.#stuck === undefined ? [] : [gatewayPod("gateway-3")]),
    ];
  }

  #isLate(name: string): boolean {
    if (name !== "gateway-2") return false;
    return this.#firstWriteMs === undefined || Date.now() - this.#firstWriteMs < (this.lateGatewayMs ?? 0);
  }

  #istiods(): readonly IstiodPlace[] {
    if (!this.hasIstiod) return [];
    const get = async (path: string): Promise<string> => {
      if (this.isIstiodSilent) throw new KirikaeError("KIR4040", "refused", { exitStatus: 3 });
      return this.#debug(path);
    };
    const first: IstiodPlace = { name: "istiod-1", get };
    const idle = this.#stale.map((known, at): IstiodPlace => ({
      name: `istiod-${at + 2}`,
      get: async (path) => (path === "/debug/configz" ? JSON.stringify([...known.values()]) : "[]"),
    }));
    return [first, ...idle];
  }

  #debug(path: string): string {
    if (path === "/debug/configz") return JSON.stringify([...this.#objects.values()]);
    if (path === "/debug/syncz")
      return JSON.stringify([...this.#gateways(), ...this.listed].map((each) => this.#status(each)));
    const listed = this.listed.find((each) => path.includes(each.proxy));
    if (path.endsWith("types=lds")) return listed?.listeners ?? "{}";
    const isEmpty = listed !== undefined || (path.includes("gateway-2") && this.#isLate("gateway-2"));
    return JSON.stringify({ configs: isEmpty ? [] : [this.#routes()] });
  }

  #gateways(): readonly { readonly proxy: string; readonly kind: string }[] {
    return this.#pods().map(({ metadata }) => ({ proxy: `${metadata.name}.istio-system`, kind: "router" }));
  }

  #status({ proxy: id, kind }: { readonly proxy: string; readonly kind: string }): object {
    const nonce = `2026-11-21T10:00:00Z/${this.#version}0e6ab1c2-0000-4000-8000-000000000000`;
    if (id !== "gateway-3.istio-system") return { proxy: id, proxy_type: kind, route_sent: nonce, route_acked: nonce };
    const route = { sent: nonce, lastError: this.#stuck?.reason, sentTime: new Date(this.#version * 1_000) };
    return { proxy: id, proxy_type: kind, resources: { "envoy.config.route.v3.RouteConfiguration": route } };
  }

  #admin(pod: string, path: string): string {
    if (pod === "gateway-2" && this.#firstWriteMs === undefined)
      throw new KirikaeError("KIR4010", "not there yet", { exitStatus: 3 });
    if (this.#isLate(pod)) return JSON.stringify({ configs: [] });
    if (path.startsWith("/stats")) throw new KirikaeError("KIR4010", "no statistics here", { exitStatus: 3 });
    const isStuck = pod === "gateway-3";
    if (isStuck && this.isStuckOneSilent) throw new KirikaeError("KIR4010", "busy", { exitStatus: 3 });
    const version = isStuck ? "stuck" : `${this.#version}`;
    const routes = isStuck ? this.#stuck?.routes : this.#routes();
    return JSON.stringify({ configs: [{ version_info: version, route_config: routes }] });
  }

  #routes(): object {
    const spec = this.#find("VirtualService", "web")?.["spec"] as {
      readonly http: readonly { readonly name: string; readonly route: readonly Weighed[] }[];
    };
    const config = "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/web";
    const routes = spec.http.map(({ name, route }) => ({
      name,
      metadata: { filter_metadata: { istio: { config } } },
      route: {
        weighted_clusters: {
          clusters: route.map(({ destination, weight = 1 }) => ({ name: playedArm(destination.subset), weight })),
        },
      },
    }));
    return { name: "http.80", virtual_hosts: [{ name: "shop", domains: ["shop.example.com"], routes }] };
  }
}

function specOf(object: KubeObject | undefined): object {
  return object?.["spec"] ?? {};
}

function gatewayPod(name: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "istio-system", uid: name, labels: { istio: "ingress" } },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}
