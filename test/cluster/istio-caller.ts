import type { Caller } from "./case-file.ts";
import type { Cluster } from "./cluster.ts";
import { type Json, objectAt, readConfig, textAt } from "./config-dump.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import { KubeRefusal, type KubeObject } from "./kube-client.ts";

/** The address of a caller's proxy; one runs at a time. */
const address = "127.0.0.10";

/** A workload's sidecar as istiod has it, with each of its listeners at a port of this machine. */
export interface IstioCaller extends AsyncDisposable {
  readonly proxy: IstioProxy;
  readonly namespace: string;
  /** By the name that istiod gives the listener, such as `0.0.0.0_8080`. */
  readonly ports: ReadonlyMap<string, number>;
}

/**
 * Starts a sidecar. In a pod, iptables hands connections over and the proxy finds the listener for the address that
 * each was meant for. Nothing is redirected here, so a first Envoy is told its listeners by istiod, and a second one
 * has the same listeners from the start, each at a port of its own; it takes routes, clusters and endpoints from istiod.
 * @param whenSettled waits until a proxy serves what was applied.
 */
export async function startIstioCaller(
  caller: Caller,
  cluster: Cluster,
  whenSettled: (proxy: IstioProxy) => Promise<void>,
): Promise<IstioCaller> {
  const { namespace, labels } = caller;
  const name = `${namespace}-${caller.name}`;
  const proxy = { role: "sidecar" as const, namespace, labels, address };
  const told = await cluster.startProxy({ ...proxy, name: `${name}-told` });
  let listeners: readonly Json[];
  try {
    await whenSettled(told);
    const config = await readConfig(told.admin);
    listeners = config.listeners.filter(isOutbound);
  } finally {
    await told[Symbol.asyncDispose]();
  }
  const ports = new Map<string, number>();
  for (const listener of listeners) ports.set(textAt(listener, "name"), await cluster.ports.take());
  const moved = listeners.map((listener) => moveListener(listener, ports.get(textAt(listener, "name")) ?? 0));
  const running = await cluster.startProxy({ ...proxy, name, listeners: moved });
  return {
    proxy: running,
    namespace,
    ports,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      for (const port of ports.values()) cluster.ports.release(port);
    },
  };
}

/** Those for single addresses and ports; the one that finds them has nothing to find them by. */
function isOutbound(listener: Json): boolean {
  return listener["traffic_direction"] === "OUTBOUND" && textAt(listener, "name") !== "virtualOutbound";
}

const placeFields: ReadonlySet<string> = new Set(["@type", "address", "additional_addresses", "bind_to_port"]);

function moveListener(listener: Json, port: number): Json {
  const kept = Object.entries(listener).filter(([field]) => !placeFields.has(field));
  return { ...Object.fromEntries(kept), address: { socket_address: { address: "127.0.0.1", port_value: port } } };
}

/**
 * The listener that a connection to a port of a host is handed to: that of the service's own address, or the one that
 * takes every address. Undefined where the proxy passes it on as it is.
 */
export async function findListener(
  caller: IstioCaller,
  { host, port }: { readonly host: string; readonly port: number },
  cluster: Cluster,
): Promise<number | undefined> {
  const addresses = await findAddresses(host.split("."), caller.namespace, cluster);
  const names = [...addresses, "0.0.0.0"].map((each) => `${each}_${port}`);
  const name = names.find((each) => caller.ports.has(each));
  return name === undefined ? undefined : caller.ports.get(name);
}

/** What a name server would say: addresses of the Service or of the ServiceEntry with this host. */
async function findAddresses(
  labels: readonly string[],
  callerNamespace: string,
  cluster: Cluster,
): Promise<readonly string[]> {
  const [name = "", namespace = callerNamespace] = labels;
  const names = new Set([labels.join("."), `${name}.${namespace}.svc.cluster.local`]);
  const service = await readObject(cluster, `/api/v1/namespaces/${namespace}/services/${name}`);
  const entries = await readObject(cluster, "/apis/networking.istio.io/v1/serviceentries");
  const items = (entries?.["items"] ?? []) as readonly KubeObject[];
  const specs = items
    .map(({ spec }) => spec as { readonly hosts: readonly string[]; readonly addresses?: readonly string[] })
    .filter(({ hosts }) => hosts.some((host) => names.has(host)));
  const own = service === undefined ? undefined : objectAt(service, "spec")["clusterIP"];
  return [...(typeof own === "string" ? [own] : []), ...specs.flatMap(({ addresses }) => addresses ?? [])];
}

async function readObject(cluster: Cluster, path: string): Promise<Json | undefined> {
  try {
    return JSON.parse(await cluster.client.get(path)) as Json;
  } catch (error) {
    if (error instanceof KubeRefusal && error.status === 404) return undefined;
    throw error;
  }
}
