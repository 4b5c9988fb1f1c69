import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { FreePorts } from "../../src/local/free-port.ts";
import { lastingPorts } from "../lasting-ports.fixture.ts";
import { startEtcd } from "./etcd.ts";
import { type Istiod, startIstiod } from "./istiod.ts";
import { type IstioProxy, type IstioProxyOptions, startIstioProxy } from "./istio-proxy.ts";
import { type KubeApiServer, startKubeApiServer } from "./kube-api-server.ts";
import { type KubeClient, type KubeObject, KubeRefusal } from "./kube-client.ts";
import { loopbackPlace, type NetworkPlace } from "./network-place.ts";
import { Pods } from "./pods.ts";
import type { ServiceProgram } from "./service-program.ts";

export interface ClusterOptions {
  /** Folders of the built programs. */
  readonly istiod: string;
  readonly apiserver: string;
  /** Without it there is no port-forward, and proxies are no pods. */
  readonly kubelet?: string;
  /** Binaries. */
  readonly etcd: string;
  readonly envoy: string;
  /** This machine's loopback where nothing else is said. */
  readonly place?: NetworkPlace;
  /** Those of another cluster that runs beside it, so that the two never choose the same. */
  readonly ports?: FreePorts;
  /** Fields of Istio's MeshConfig. */
  readonly meshConfig?: object;
}

/** Where the gateway's own Service is, and its pods would be. */
const gatewayNamespace = "istio-system";
const gatewayLabels = { istio: "ingressgateway" } as const;
/** Service ports of the gateway, each of which gets a free port of this machine to listen on. */
export const gatewayPorts = [80, 81, 443, 444, 8080, 8443, 9000, 9001, 15_443, 31_400] as const;

/** A port of the gateway that no case uses. */
export const markerPort = 15_999;

type ClusterParts = Pick<Cluster, "etcd" | "api" | "istiod" | "pods" | "folder" | "ports" | "place" | "gatewayPorts">;

/**
 * etcd, the API server and istiod, on loopback where nothing else is said. Objects go through the API, so that schemas,
 * defaults and creation times are the real ones; nothing runs pods, and workloads are addresses in ServiceEntries and
 * WorkloadEntries, or pods that a test writes down.
 */
export class Cluster implements AsyncDisposable {
  readonly etcd: ServiceProgram;
  readonly api: KubeApiServer;
  readonly client: KubeClient;
  readonly istiod: Istiod;
  /** Undefined where no kubelet was given. */
  readonly pods: Pods | undefined;
  readonly folder: string;
  readonly ports: FreePorts;
  readonly place: NetworkPlace;
  /** Service port of the gateway to the port that its Envoy listens on. */
  readonly gatewayPorts: ReadonlyMap<number, number>;
  readonly #options: ClusterOptions;
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: ClusterParts, options: ClusterOptions, stack: AsyncDisposableStack) {
    this.etcd = parts.etcd;
    this.api = parts.api;
    this.client = parts.api.client;
    this.istiod = parts.istiod;
    this.pods = parts.pods;
    this.folder = parts.folder;
    this.ports = parts.ports;
    this.place = parts.place;
    this.gatewayPorts = parts.gatewayPorts;
    this.#options = options;
    this.#stack = stack;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "kirikae-cluster-"));
    const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    // A run that is interrupted disposes of nothing.
    process.on("exit", remove);
    stack.defer(() => {
      process.off("exit", remove);
      remove();
    });
    const ports = options.ports ?? lastingPorts();
    const place = options.place ?? loopbackPlace();
    const etcd = await startEtcd({
      path: options.etcd,
      folder,
      place,
      ports: [await ports.take(), await ports.take()],
    });
    stack.use(etcd.program);
    const api = await startKubeApiServer({
      path: join(options.apiserver, "apiserver"),
      folder,
      etcdUrl: etcd.url,
      place,
      port: await ports.take(),
    });
    stack.use(api.client);
    stack.use(api.program);
    const { client } = api;
    await defineKinds(client, await readFile(join(options.istiod, "istio-kinds.yaml"), "utf8"));
    const listening = new Map<number, number>();
    for (const port of [...gatewayPorts, markerPort]) listening.set(port, await ports.take());
    for (const object of buildFoundation(listening)) await client.apply(object);
    const pods =
      options.kubelet === undefined
        ? undefined
        : await Pods.start({ path: join(options.kubelet, "kubelet"), folder, place, port: await ports.take(), client });
    if (pods !== undefined) stack.use(pods.kubelet);
    const meshConfig = {
      // Sidecars would open ports 15001 and 15006 otherwise; one of them runs at a time.
      proxyListenPort: await ports.take(),
      proxyInboundListenPort: await ports.take(),
      ...options.meshConfig,
    };
    const settled = { ...options, meshConfig };
    const istiod = await launchIstiod("istiod-1", { options: settled, folder, place, api, pods });
    stack.use(istiod.program);
    const parts = { etcd: etcd.program, api, istiod, pods, folder, ports, place, gatewayPorts: listening };
    return new Cluster(parts, settled, stack.move());
  }

  /** Another replica, which ends with the cluster; who stops it before removes its pod. */
  async startIstiod(name: string): Promise<Istiod> {
    const { folder, place, api, pods } = this;
    const started = await launchIstiod(name, { options: this.#options, folder, place, api, pods });
    this.#stack.use(started.program);
    return started;
  }

  /** An Envoy that plays the gateway `istio: ingressgateway`. */
  startGateway(name = "gateway"): Promise<IstioProxy> {
    return this.startProxy({
      role: "router",
      name,
      namespace: gatewayNamespace,
      labels: gatewayLabels,
      address: "127.0.0.9",
    });
  }

  /** An Envoy that asks an istiod, the first where nothing else is said; it ends with its owner or with the cluster. */
  async startProxy(
    proxy: Omit<IstioProxyOptions, "envoy" | "folder" | "xds" | "token" | "enter">,
    istiod: Istiod = this.istiod,
  ): Promise<IstioProxy> {
    const { envoy } = this.#options;
    const token = await this.#tokenOf(proxy.namespace);
    const started = await startIstioProxy({
      ...proxy,
      envoy,
      token,
      folder: this.folder,
      enter: this.place.enter,
      xds: istiod.xds,
    });
    return this.#stack.use(started);
  }

  /** The port of this machine at which the gateway serves a port of its Service. */
  portOf(servicePort: number): number {
    const port = this.gatewayPorts.get(servicePort);
    if (port === undefined) throw new Error(`the gateway's Service has no port ${servicePort}`);
    return port;
  }

  /** Starts whatever a test has stopped or paused, and waits until it serves. */
  async restore(): Promise<void> {
    await this.etcd.start();
    await this.api.program.start();
    await this.istiod.program.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** Of the service account `proxy`, which may read the secrets of its namespace. */
  #tokenOf(namespace: string): Promise<string> {
    const known = this.#tokens.get(namespace) ?? this.#createToken(namespace);
    this.#tokens.set(namespace, known);
    return known;
  }

  async #createToken(namespace: string): Promise<string> {
    for (const object of buildServiceAccount(namespace)) await this.client.apply(object);
    const answer = (await this.client.post(`/api/v1/namespaces/${namespace}/serviceaccounts/proxy/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: ["istio-ca"], expirationSeconds: 86_400 },
    })) as { readonly status: { readonly token: string } };
    return answer.status.token;
  }
}

interface IstiodPlace {
  readonly options: ClusterOptions;
  readonly folder: string;
  readonly place: NetworkPlace;
  readonly api: KubeApiServer;
  readonly pods: Pods | undefined;
}

/** A replica with a pod of its own, where there are pods. */
async function launchIstiod(name: string, { options, folder, place, api, pods }: IstiodPlace): Promise<Istiod> {
  const address = place.takeAddress();
  const path = join(options.istiod, "istiod");
  const { kubeconfig } = api;
  const started = await startIstiod({ path, folder, kubeconfig, name, place, address, ...meshConfigOf(options) });
  await pods?.add({ namespace: gatewayNamespace, name, labels: { app: "istiod" }, address });
  return started;
}

function meshConfigOf({ meshConfig }: ClusterOptions): { readonly meshConfig?: object } {
  return meshConfig === undefined ? {} : { meshConfig };
}

/** Istio's kinds, and waits until the API serves them. */
async function defineKinds(client: KubeClient, yaml: string): Promise<void> {
  const kinds = parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
    .filter(({ kind }) => kind === "CustomResourceDefinition");
  for (const kind of kinds) await client.apply(kind);
  const deadline = performance.now() + 30_000;
  for (const kind of kinds) {
    const { group, names, versions } = kind["spec"] as KindSpec;
    const version = versions.find(({ served }) => served)?.name ?? "v1";
    while (!(await isServed(client, `/apis/${group}/${version}/${names.plural}`))) {
      if (performance.now() > deadline) throw new Error(`the API does not serve ${names.plural}`);
      await delay(50);
    }
  }
}

/** The part of a CustomResourceDefinition that is read here. */
interface KindSpec {
  readonly group: string;
  readonly names: { readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

async function isServed(client: KubeClient, path: string): Promise<boolean> {
  try {
    await client.get(path);
    return true;
  } catch (error) {
    // 503 while the storage of a new kind is being set up.
    if (error instanceof KubeRefusal && (error.status === 404 || error.status === 503)) return false;
    throw error;
  }
}

/** Namespaces, and the gateway's Service, by which istiod translates the ports that Gateways name. */
function buildFoundation(ports: ReadonlyMap<number, number>): readonly KubeObject[] {
  const namespaces = [gatewayNamespace, "team", "other"].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  }));
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "istio-ingressgateway", namespace: gatewayNamespace },
    spec: {
      selector: gatewayLabels,
      ports: [...ports].map(([port, targetPort]) => ({ name: `tcp-${port}`, port, targetPort })),
    },
  };
  // Nobody issues certificates, so a sidecar would wait for ever for the one that it takes connections with.
  const plain = {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: gatewayNamespace },
    spec: { mtls: { mode: "DISABLE" } },
  };
  return [...namespaces, service, plain];
}

function buildServiceAccount(namespace: string): readonly KubeObject[] {
  const metadata = { name: "proxy", namespace };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "proxy" },
      subjects: [{ kind: "ServiceAccount", name: "proxy", namespace }],
    },
  ];
}
