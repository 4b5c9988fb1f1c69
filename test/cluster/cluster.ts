import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { FreePorts } from "../../src/local/free-port.ts";
import { startEtcd } from "./etcd.ts";
import { type Istiod, startIstiod } from "./istiod.ts";
import { type IstioProxy, type IstioProxyOptions, startIstioProxy } from "./istio-proxy.ts";
import { startKubeApiServer } from "./kube-api-server.ts";
import { type KubeClient, type KubeObject, KubeRefusal } from "./kube-client.ts";

export interface ClusterOptions {
  /** Folders of the built programs. */
  readonly istiod: string;
  readonly apiserver: string;
  /** Binaries. */
  readonly etcd: string;
  readonly envoy: string;
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

/**
 * etcd, the API server and istiod on loopback. Objects go through the API, so that schemas, defaults and creation times
 * are the real ones; nothing runs pods, and workloads are addresses in ServiceEntries and WorkloadEntries.
 */
export class Cluster implements AsyncDisposable {
  readonly client: KubeClient;
  readonly istiod: Istiod;
  readonly folder: string;
  readonly ports: FreePorts;
  /** Service port of the gateway to the port that its Envoy listens on. */
  readonly gatewayPorts: ReadonlyMap<number, number>;
  readonly #options: ClusterOptions;
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<Cluster, "client" | "istiod" | "folder" | "ports" | "gatewayPorts">,
    options: ClusterOptions,
    stack: AsyncDisposableStack,
  ) {
    this.client = parts.client;
    this.istiod = parts.istiod;
    this.folder = parts.folder;
    this.ports = parts.ports;
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
    const ports = new FreePorts();
    const etcd = stack.use(
      await startEtcd({ path: options.etcd, folder, ports: [await ports.take(), await ports.take()] }),
    );
    const api = stack.use(
      await startKubeApiServer({
        path: join(options.apiserver, "apiserver"),
        folder,
        etcdUrl: etcd.url,
        port: await ports.take(),
      }),
    );
    const { client } = api;
    await defineKinds(client, await readFile(join(options.istiod, "istio-kinds.yaml"), "utf8"));
    const listening = new Map<number, number>();
    for (const port of [...gatewayPorts, markerPort]) listening.set(port, await ports.take());
    for (const object of buildFoundation(listening)) await client.apply(object);
    const istiod = stack.use(
      await startIstiod({
        path: join(options.istiod, "istiod"),
        folder,
        kubeconfig: api.kubeconfig,
        ports: [await ports.take(), await ports.take(), await ports.take()],
        meshConfig: {
          // Sidecars would open ports 15001 and 15006 otherwise; one of them runs at a time.
          proxyListenPort: await ports.take(),
          proxyInboundListenPort: await ports.take(),
          ...options.meshConfig,
        },
      }),
    );
    return new Cluster({ client, istiod, folder, ports, gatewayPorts: listening }, options, stack.move());
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

  /** An Envoy that asks this istiod for everything; it ends with its owner or with the cluster. */
  async startProxy(
    proxy: Pick<IstioProxyOptions, "role" | "name" | "namespace" | "labels" | "address" | "listeners">,
  ): Promise<IstioProxy> {
    const { envoy } = this.#options;
    const token = await this.#tokenOf(proxy.namespace);
    const started = await startIstioProxy({
      ...proxy,
      envoy,
      token,
      folder: this.folder,
      xdsPort: this.istiod.xdsPort,
    });
    return this.#stack.use(started);
  }

  /** The port of this machine at which the gateway serves a port of its Service. */
  portOf(servicePort: number): number {
    const port = this.gatewayPorts.get(servicePort);
    if (port === undefined) throw new Error(`the gateway's Service has no port ${servicePort}`);
    return port;
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
