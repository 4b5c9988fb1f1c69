import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { AggregatedDiscoveryService } from "../gen/envoy/service/discovery/v3/ads_pb.ts";
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { AccessLogEntry } from "./access-log-entry.ts";
import { accessLogPath, serveAccessLogs } from "./access-log-stream.ts";
import { AdsStream } from "./ads-stream.ts";
import type { ResourceType } from "./resource-types.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Nack } from "./subscription.ts";

export interface XdsServerOptions {
  /** The Unix socket, made with mode 0600. */
  readonly socketPath: string;
  /** Called before a proxy that has just connected is answered. */
  onConnected?(node: string): void;
  onAccessLogs?(entries: readonly AccessLogEntry[]): void;
  /** Told what a proxy sent that could not be read. */
  onTrouble?(message: string): void;
}

/** What one proxy has said about one type. */
export interface ProxyTypeState {
  /** Whether it has everything that it asked for, in the newest version, and said so. */
  readonly isSettled: boolean;
  /** Its refusal of what is newest. */
  readonly refusal: Nack | undefined;
  /** Its last refusal, until it accepts something newer. */
  readonly nack: Nack | undefined;
}

/**
 * Incremental ADS over gRPC on a Unix socket, for any number of proxies, which all get the same snapshot. It sends what
 * changed and waits for each proxy's answer before it sends that proxy more of the same type.
 */
export class XdsServer implements AsyncDisposable {
  readonly #options: XdsServerOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #streams = new Map<string, AdsStream>();
  readonly #watchers = new Set<() => void>();
  readonly #bytesSent: Record<ResourceType, number> = {
    secrets: 0,
    clusters: 0,
    endpoints: 0,
    listeners: 0,
    scopes: 0,
    routes: 0,
    runtime: 0,
  };
  #snapshot: Snapshot | undefined;
  #isClosed = false;

  private constructor(options: XdsServerOptions) {
    this.#options = options;
    const adapter = connectNodeAdapter({
      connect: false,
      grpcWeb: false,
      acceptCompression: [],
      routes: (router: ConnectRouter) =>
        router.service(AggregatedDiscoveryService, {
          deltaAggregatedResources: (requests) => this.#serve(requests),
        }),
    });
    this.#server = createServer((request, response) => {
      if (request.url === accessLogPath) {
        serveAccessLogs(request, response, {
          onEntries: (entries) => this.#options.onAccessLogs?.(entries),
          onMalformed: (message) =>
            this.#options.onTrouble?.(`an access log could not be read, so its stream was closed: ${message}`),
        });
      } else adapter(request, response);
    });
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  /** Listens. A socket file that a dead server left is replaced. */
  static async start(options: XdsServerOptions): Promise<XdsServer> {
    const server = new XdsServer(options);
    await rm(options.socketPath, { force: true });
    server.#server.listen(options.socketPath);
    await once(server.#server, "listening");
    await chmod(options.socketPath, 0o600);
    return server;
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Makes this the state that every proxy should have. */
  publish(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const stream of this.#streams.values()) stream.wake();
  }

  /** The proxies that are connected now. */
  get connected(): readonly string[] {
    return [...this.#streams.keys()];
  }

  /** Bytes of resources sent since the start, by type. */
  get bytesSent(): Readonly<Record<ResourceType, number>> {
    return { ...this.#bytesSent };
  }

  /** Undefined while the proxy is not connected. */
  proxyState(node: string, type: ResourceType): ProxyTypeState | undefined {
    const stream = this.#streams.get(node);
    if (stream === undefined || this.#snapshot === undefined) return undefined;
    const subscription = stream.subscription(type);
    const resources = this.#snapshot[type];
    if (resources === undefined) return { isSettled: true, refusal: undefined, nack: subscription.nack };
    const options = stream.sendOptions(this.#snapshot, type);
    return {
      isSettled: subscription.isSettled(resources, options),
      refusal: subscription.refusal(resources, options),
      nack: subscription.nack,
    };
  }

  /** Whether a proxy has said that it uses this very version of a resource. */
  hasAcked(node: string, type: ResourceType, resource: { readonly name: string; readonly version: string }): boolean {
    return this.#streams.get(node)?.subscription(type).hasAcked(resource.name, resource.version) ?? false;
  }

  /** Whether a proxy has said that it uses the newest version of every resource of a type. */
  hasAckedAll(node: string, type: ResourceType): boolean {
    const subscription = this.#streams.get(node)?.subscription(type);
    const resources = this.#snapshot?.[type];
    if (subscription === undefined) return false;
    if (resources === undefined) return true;
    return subscription.hasAckedAll(resources, type === "routes" ? this.#snapshot?.lingeringRoutes : undefined);
  }

  /** Whether a proxy that is connected asks for this very resource. */
  asksFor(node: string, type: ResourceType, name: string): boolean {
    return this.#streams.get(node)?.subscription(type).asksFor(name) ?? false;
  }

  /** Nothing will come any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Calls `watcher` whenever a proxy connects, leaves or answers, and when the server closes. */
  watch(watcher: () => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#tell();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    const closed = once(this.#server, "close");
    this.#server.close();
    // A proxy keeps its connection open for ever, so that waiting for it to leave would never end.
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  async *#serve(requests: AsyncIterable<DeltaDiscoveryRequest>): AsyncGenerator<DeltaDiscoveryResponse> {
    const iterator = requests[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true) return;
    const node = first.value.node?.id ?? "";
    if (node === "") throw new ConnectError("the first request of a stream has to name its node", Code.InvalidArgument);
    const stream = this.#open(node);
    stream.take(first.value);
    void readRest(iterator, stream);
    try {
      yield* stream.responses();
    } finally {
      stream.close();
      if (this.#streams.get(node) === stream) this.#streams.delete(node);
      this.#tell();
    }
  }

  #open(node: string): AdsStream {
    // A proxy that connects anew has lost its old stream, whether or not this side has noticed.
    this.#streams.get(node)?.close();
    this.#options.onConnected?.(node);
    const stream = new AdsStream({
      node,
      snapshot: () => this.#snapshot,
      onTaken: () => this.#tell(),
      onSent: (type, bytes) => {
        this.#bytesSent[type] += bytes;
      },
    });
    this.#streams.set(node, stream);
    return stream;
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Takes requests until the proxy leaves, in whatever way it does. */
async function readRest(requests: AsyncIterator<DeltaDiscoveryRequest>, stream: AdsStream): Promise<void> {
  for (;;) {
    const next = await requests.next().catch(() => undefined);
    if (next === undefined || next.done === true) break;
    stream.take(next.value);
  }
  stream.close();
}
