import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import type { Diagnostic } from "../../src/core/diagnostics/diagnostic.ts";
import { buildMeshModel } from "../../src/core/mesh-model.ts";
import { outboundListenerOf, serviceListenersOf } from "../../src/core/routes/outbound-listeners.ts";
import type { Listener, RouteTable } from "../../src/core/routes/route-table.ts";
import { lastingPorts } from "../lasting-ports.fixture.ts";
import type { LocalEnvoyTarget } from "../../src/targets/local-envoy/local-envoy-target.ts";
import { XdsFixture } from "../e2e/xds-fixture.ts";
import type { Entry } from "./ask.ts";
import type { CaseRequest } from "./case-file.ts";
import { gatewayPorts, markerPort } from "./cluster.ts";
import type { KubeObject } from "./kube-client.ts";

/** kirikae's own control plane with an Envoy of its own, fed with the objects that the API server has stored. */
export class KirikaeSide implements AsyncDisposable {
  readonly fixture: XdsFixture;
  readonly #gatewayPorts: ReadonlyMap<number, number>;
  readonly #otherPorts = new Map<string, number>();
  readonly #spare: readonly number[];
  #table: RouteTable | undefined;

  private constructor(fixture: XdsFixture, ports: ReadonlyMap<number, number>, spare: readonly number[]) {
    this.fixture = fixture;
    this.#gatewayPorts = ports;
    this.#spare = spare;
  }

  static async start(): Promise<KirikaeSide> {
    await using stack = new AsyncDisposableStack();
    const fixture = stack.use(await XdsFixture.open());
    const free = lastingPorts();
    const ports = new Map<number, number>();
    for (const port of [...gatewayPorts, markerPort]) ports.set(port, await free.take());
    // For listeners of callers, and of workloads that nobody asks, each of which has to bind somewhere.
    const spare = await Promise.all(Array.from({ length: 80 }, () => free.take()));
    const side = new KirikaeSide(fixture, ports, spare);
    const target = await fixture.startTarget({
      bind: (listener) => ({ address: "127.0.0.1", port: side.#bind(listener) }),
      drainMs: 50,
      drainTimeoutMs: 200,
    });
    await fixture.startEnvoy("envoy-1", { concurrency: 1 });
    await whenConnected(target);
    stack.move();
    return side;
  }

  /** @throws when Envoy does not take what kirikae makes of the objects. */
  async apply(objects: readonly KubeObject[]): Promise<readonly Diagnostic[]> {
    const text = objects.map((object) => stringify(withoutServerFields(object), { version: "1.1" })).join("---\n");
    const { table, diagnostics } = buildMeshModel([{ path: "case.yaml", text }], { defaultNamespace: "default" });
    this.#table = table;
    const ids = new Set(table.listeners.map(({ id }) => id));
    for (const id of this.#otherPorts.keys()) if (!ids.has(id)) this.#otherPorts.delete(id);
    const report = await this.fixture.target.applyTable(table, new Map());
    if (report.kind !== "applied") throw new Error(`kirikae's Envoy: ${JSON.stringify(report)}`);
    return diagnostics;
  }

  /** Where a request goes in. @throws where no listener is for it. */
  async entryOf({ from, scheme, authority, port, text }: CaseRequest): Promise<Entry> {
    if (from === undefined) return { port: this.#gatewayPorts.get(port) ?? 0 };
    const isConnection = scheme === "tcp" || scheme === "tls" || scheme === "https";
    const host = authority.replace(/:\d+$/, "");
    const listener = isConnection
      ? serviceListenersOf(this.table, from).find((each) => each.host === host && each.listener.port === port)?.listener
      : outboundListenerOf(this.table, from);
    if (listener === undefined) throw new Error(`kirikae gave ${from} no listener for ${text}`);
    return { port: this.#bind(listener), isProxy: !isConnection };
  }

  /** The port of this machine at which a caller's sidecar takes requests. */
  outboundPortOf(caller: string): number {
    const listener = outboundListenerOf(this.table, caller);
    if (listener === undefined) throw new Error(`kirikae gave ${caller} no listener`);
    return this.#bind(listener);
  }

  get table(): RouteTable {
    if (this.#table === undefined) throw new Error("nothing was applied yet");
    return this.#table;
  }

  /** The other way round; undefined for a port that is none of the gateway's, or the marker's. */
  readonly servicePortOf = (port: number): number | undefined =>
    [...this.#gatewayPorts].find(([servicePort, listening]) => listening === port && servicePort !== markerPort)?.[0];

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
  }

  #bind(listener: Listener): number {
    const isGateway = listener.role.kind === "gateway" && /^(?:istio=ingressgateway|\*)$/.test(listener.proxy);
    const known = isGateway ? this.#gatewayPorts.get(listener.port) : undefined;
    if (known !== undefined) return known;
    const given = this.#otherPorts.get(listener.id);
    if (given !== undefined) return given;
    const taken = new Set(this.#otherPorts.values());
    const free = this.#spare.find((port) => !taken.has(port));
    if (free === undefined) throw new Error("the case has more listeners than there are ports for");
    this.#otherPorts.set(listener.id, free);
    return free;
  }
}

async function whenConnected(target: LocalEnvoyTarget): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (target.status()[0]?.connected !== true) {
    if (performance.now() > deadline) throw new Error("kirikae's Envoy does not connect");
    await delay(20);
  }
}

/** What a file has of an object that the API server has stored; the creation time stays, because it decides orders. */
function withoutServerFields(object: KubeObject): object {
  const { name, namespace, labels, annotations, creationTimestamp } = object.metadata;
  const metadata = { name, namespace, labels, annotations, creationTimestamp };
  return { ...object, status: undefined, metadata: JSON.parse(JSON.stringify(metadata)) as object };
}
