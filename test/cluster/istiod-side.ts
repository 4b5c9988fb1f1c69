import { setTimeout as delay } from "node:timers/promises";
import type { Entry } from "./ask.ts";
import type { Caller, CaseRequest } from "./case-file.ts";
import { type Cluster, markerPort } from "./cluster.ts";
import { findListener, type IstioCaller, startIstioCaller } from "./istio-caller.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import type { KubeObject } from "./kube-client.ts";
import { Marker } from "./settle.ts";

/** A real istiod with an Envoy that plays the gateway, and the objects of one case at a time beside the world's. */
export class IstiodSide {
  readonly cluster: Cluster;
  readonly gateway: IstioProxy;
  readonly #marker: Marker;
  /** Sidecars of the current case, by the id of the caller. */
  readonly callers = new Map<string, IstioCaller>();
  /** Ports, by the text of the request. */
  readonly #entries = new Map<string, number>();
  #current: readonly KubeObject[] = [];

  private constructor(cluster: Cluster, gateway: IstioProxy) {
    this.cluster = cluster;
    this.gateway = gateway;
    this.#marker = new Marker(cluster);
  }

  /** On a running cluster, which stays the caller's. */
  static async start(cluster: Cluster): Promise<IstiodSide> {
    return new IstiodSide(cluster, await cluster.startGateway());
  }

  /**
   * Creates objects that stay. @returns them as the API server has stored them.
   * @throws KubeRefusal where the API server takes one of them not.
   */
  async addWorld(objects: readonly KubeObject[]): Promise<readonly KubeObject[]> {
    return createInOrder(this.cluster, objects);
  }

  /**
   * Puts the objects of a case in the place of those before, and waits until the gateway serves them.
   * @returns them as they are stored, with the times that decide Istio's order.
   * @throws KubeRefusal from the API server, NotSettled from Envoy; whatever was created goes with the next case.
   */
  async replaceCase(objects: readonly KubeObject[], callers: readonly Caller[] = []): Promise<readonly KubeObject[]> {
    this.#entries.clear();
    await this.stopCallers();
    const before = this.#current;
    this.#current = [];
    for (const object of before) await this.cluster.client.delete(object);
    this.#current = objects;
    const created: KubeObject[] = [];
    this.#current = created;
    await createInOrder(this.cluster, objects, created);
    await this.#marker.settle([this.gateway]);
    for (const caller of callers) {
      const started = await startIstioCaller(caller, this.cluster, (proxy) => this.#marker.settle([proxy]));
      this.callers.set(caller.id, started);
    }
    return created;
  }

  async stopCallers(): Promise<void> {
    for (const caller of this.callers.values()) await caller[Symbol.asyncDispose]();
    this.callers.clear();
  }

  /** Where a request goes in. @throws where no listener of the caller's sidecar is for it. */
  async entryOf({ from, authority, port, text }: CaseRequest): Promise<Entry> {
    if (from === undefined) return { port: this.cluster.portOf(port) };
    const caller = this.callers.get(from);
    if (caller === undefined) throw new Error(`no caller ${from}`);
    const known = this.#entries.get(text);
    if (known !== undefined) return { port: known };
    const host = authority.replace(/:\d+$/, "");
    const found = await findListener(caller, { host, port }, this.cluster);
    if (found === undefined) throw new Error(`istiod gave ${from} no listener for ${text}`);
    this.#entries.set(text, found);
    return { port: found };
  }

  /** Waits until proxies serve everything that was applied so far. */
  settle(proxies: readonly IstioProxy[] = [this.gateway]): Promise<void> {
    return this.#marker.settle(proxies);
  }

  /** The other way round; undefined for a port that is none of the gateway's, or the marker's. */
  readonly servicePortOf = (port: number): number | undefined =>
    [...this.cluster.gatewayPorts].find(
      ([servicePort, listening]) => listening === port && servicePort !== markerPort,
    )?.[0];
}

/**
 * The API server gives creation times, by whole seconds, and Istio orders by them. Objects of a later time in the file
 * are created in a later second; of those with the same time or with none, the order is by name wherever they fall into
 * one second, and the stored times are what both sides get.
 */
async function createInOrder(
  cluster: Cluster,
  objects: readonly KubeObject[],
  created: KubeObject[] = [],
): Promise<readonly KubeObject[]> {
  const times = [...new Set(objects.map(timeOf))].toSorted();
  for (const [index, time] of times.entries()) {
    if (index > 0) await nextSecond(created);
    for (const object of objects.filter((each) => timeOf(each) === time)) {
      created.push(await cluster.client.create(object));
    }
  }
  return created;
}

function timeOf({ metadata }: KubeObject): string {
  return metadata.creationTimestamp ?? "";
}

async function nextSecond(created: readonly KubeObject[]): Promise<void> {
  const last = Math.max(0, ...created.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? "")));
  const left = last + 1000 - Date.now();
  if (left > 0) await delay(left + 5);
}
