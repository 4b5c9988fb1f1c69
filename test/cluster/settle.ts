import { setTimeout as delay } from "node:timers/promises";
import { type Cluster, markerPort } from "./cluster.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import type { KubeObject } from "./kube-client.ts";
import { sendRequest } from "./probe.ts";

const markerHost = "marker.kirikae.test";
/** How long warming is waited for: some resources never come, such as a secret that does not exist. */
const warmingMs = 1_500;

/** istiod, or Envoy, did not take what was applied. */
class NotSettled extends Error {}

/**
 * Waits until proxies serve everything that was applied before. istiod gathers changes until 100 ms pass without one,
 * so a route that is changed after all others is pushed with them, and in each push routes come last: when a proxy
 * answers with the new mark, it has been sent the rest. What remains are listeners and clusters that still warm.
 */
export class Marker {
  readonly #cluster: Cluster;
  #count = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws NotSettled with what a proxy refused, where one did. */
  async settle(proxies: readonly IstioProxy[], timeoutMs = 15_000): Promise<void> {
    this.#count += 1;
    const mark = `mark-${this.#count}`;
    for (const object of buildMarker(mark)) await this.#cluster.client.apply(object);
    const deadline = performance.now() + timeoutMs;
    while ((await this.#readMark()) !== mark) {
      if (performance.now() > deadline) throw new NotSettled(await this.#describe());
      await delay(10);
    }
    for (const proxy of proxies) await this.#whenWarm(proxy);
  }

  async #readMark(): Promise<string> {
    const answer = await sendRequest({
      port: this.#cluster.portOf(markerPort),
      method: "GET",
      target: "/",
      authority: markerHost,
      headers: [],
    });
    return answer.body;
  }

  /** Everything acknowledged, and nothing warming that could become warm. */
  async #whenWarm(proxy: IstioProxy): Promise<void> {
    const deadline = performance.now() + warmingMs;
    while (performance.now() < deadline) {
      if ((await this.#isAcknowledged(proxy)) && !(await isWarming(proxy))) return;
      await delay(20);
    }
    const refusals = await this.#refusals();
    if (refusals.length > 0) throw new NotSettled(refusals.join("\n"));
  }

  async #isAcknowledged(proxy: IstioProxy): Promise<boolean> {
    const sync = (await this.#cluster.istiod.readSync()).find((each) => each.proxy === proxy.id);
    return Object.values(sync?.resources ?? {}).every(({ sent, acked }) => sent === acked);
  }

  async #refusals(): Promise<readonly string[]> {
    const all = await this.#cluster.istiod.readSync();
    return all.flatMap(({ proxy, resources }) =>
      Object.entries(resources ?? {}).flatMap(([type, { lastError }]) =>
        lastError === undefined || lastError === "" ? [] : [`${proxy} refused ${type}: ${lastError}`],
      ),
    );
  }

  async #describe(): Promise<string> {
    const refusals = await this.#refusals();
    return refusals.length > 0 ? refusals.join("\n") : "istiod did not push what was applied";
  }
}

async function isWarming(proxy: IstioProxy): Promise<boolean> {
  const stats = await proxy.admin.stats(
    "^(cluster_manager.warming_clusters|listener_manager.total_listeners_warming)$",
    {
      usedOnly: false,
    },
  );
  return [...stats.values()].some((value) => value > 0);
}

/** A host of its own at a port of its own, and the same host for callers inside the mesh. */
function buildMarker(mark: string): readonly KubeObject[] {
  const metadata = { name: "zz-marker", namespace: "istio-system" };
  const apiVersion = "networking.istio.io/v1";
  return [
    {
      apiVersion,
      kind: "Gateway",
      metadata,
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [{ port: { number: markerPort, name: "http", protocol: "HTTP" }, hosts: [markerHost] }],
      },
    },
    {
      apiVersion,
      kind: "VirtualService",
      metadata,
      spec: {
        hosts: [markerHost],
        gateways: ["zz-marker"],
        http: [{ directResponse: { status: 200, body: { string: mark } } }],
      },
    },
  ];
}
