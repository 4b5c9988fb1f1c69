import { create } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../gen/envoy/service/discovery/v3/discovery_pb.ts";
import { type ResourceType, resourceTypeOf, resourceTypes, typeUrls } from "./resource-types.ts";
import { Signal } from "./signal.ts";
import type { Snapshot } from "./snapshot.ts";
import { type SendOptions, Subscription, type SubscriptionResponse, type Verdict } from "./subscription.ts";

export interface AdsStreamOptions {
  readonly node: string;
  /** The newest state; undefined before there is one, and then the proxy waits. */
  snapshot(): Snapshot | undefined;
  /** Called after every message of the proxy. */
  onTaken(type: ResourceType, verdict: Verdict): void;
  onSent(type: ResourceType, bytes: number): void;
}

/** One connected proxy: its subscriptions, and the loop that keeps it up to date. */
export class AdsStream {
  readonly node: string;
  readonly #options: AdsStreamOptions;
  readonly #subscriptions: Readonly<Record<ResourceType, Subscription>>;
  readonly #signal = new Signal();
  #isOpen = true;

  constructor(options: AdsStreamOptions) {
    this.node = options.node;
    this.#options = options;
    this.#subscriptions = {
      secrets: new Subscription("forSome"),
      clusters: new Subscription(),
      endpoints: new Subscription("forNamed"),
      listeners: new Subscription(),
      scopes: new Subscription("forNamed"),
      routes: new Subscription("forNamed"),
      runtime: new Subscription(),
    };
  }

  subscription(type: ResourceType): Subscription {
    return this.#subscriptions[type];
  }

  /** Tells that there may be something new to send. */
  wake(): void {
    this.#signal.raise();
  }

  /** Ends the loop; the proxy will connect again. */
  close(): void {
    this.#isOpen = false;
    this.#signal.raise();
  }

  take(request: DeltaDiscoveryRequest): void {
    const type = resourceTypeOf(request.typeUrl);
    // Types that kirikae does not serve stay unanswered, as Envoy's documentation allows.
    if (type === undefined) return;
    const verdict = this.#subscriptions[type].take({
      subscribe: request.resourceNamesSubscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: new Map(Object.entries(request.initialResourceVersions)),
      nonce: request.responseNonce,
      error: request.errorDetail?.message,
    });
    this.#signal.raise();
    this.#options.onTaken(type, verdict);
  }

  /** Responses as they become due, until the stream is closed; the next is made when the last was taken. */
  async *responses(): AsyncGenerator<DeltaDiscoveryResponse> {
    while (this.#isOpen) {
      const due = this.#next();
      if (due === undefined) await this.#signal.wait();
      else yield due;
    }
  }

  /**
   * A proxy that comes back with an older route configuration must not lose the runtime weights that correct it, so the
   * layer waits for the routes. One that starts asks for the layer first, and is given it; so is one that refused its
   * listeners before it had any, because it will not ask for routes.
   */
  #holdsRuntime(snapshot: Snapshot): boolean {
    const { runtime, routes, listeners } = this.#subscriptions;
    if (!runtime.isResumed || snapshot.routes === undefined || snapshot.routes.size === 0) return false;
    if (!routes.hasSubscribed && snapshot.listeners !== undefined) {
      return listeners.refusal(snapshot.listeners) === undefined;
    }
    return !routes.isSettled(snapshot.routes) && routes.refusal(snapshot.routes) === undefined;
  }

  /**
   * Clusters and their endpoints are used by routes, and types are sent in an order of their own; so none is taken from a
   * proxy that has not said yet that it uses the newest routes and listeners, however long that takes. Secrets are never
   * taken: connections that drain still use them, and a proxy drops by itself what nothing names any more.
   */
  sendOptions(snapshot: Snapshot, type: ResourceType): SendOptions {
    if (type === "secrets") return { withholdsRemovals: true };
    const isUsedByRoutes = type === "clusters" || type === "endpoints";
    return { withholdsRemovals: isUsedByRoutes && (snapshot.withholdsRemovals || !this.#hasRoutesOf(snapshot)) };
  }

  #hasRoutesOf({ listeners, scopes, routes, lingeringRoutes }: Snapshot): boolean {
    const held = this.#subscriptions;
    if (listeners !== undefined && !held.listeners.isSettled(listeners)) return false;
    if (scopes !== undefined && !held.scopes.isSettled(scopes)) return false;
    return routes === undefined || (held.routes.isSettled(routes) && held.routes.hasAckedAll(routes, lingeringRoutes));
  }

  #next(): DeltaDiscoveryResponse | undefined {
    const snapshot = this.#options.snapshot();
    if (snapshot === undefined) return undefined;
    for (const type of resourceTypes) {
      if (type === "runtime" && this.#holdsRuntime(snapshot)) continue;
      const resources = snapshot[type];
      const response = resources && this.#subscriptions[type].next(resources, this.sendOptions(snapshot, type));
      if (response === undefined) continue;
      // A cluster that is sent anew waits for its endpoints, which Envoy does not always ask for again.
      if (type === "clusters") this.#subscriptions.endpoints.forget(response.resources.map(({ name }) => name));
      this.#options.onSent(type, countBytes(response));
      return encode(type, response);
    }
    return undefined;
  }
}

function countBytes(response: SubscriptionResponse): number {
  return (
    response.resources.reduce((sum, { name, bytes }) => sum + name.length + bytes.length, 0) +
    response.removed.reduce((sum, name) => sum + name.length, 0)
  );
}

function encode(type: ResourceType, response: SubscriptionResponse): DeltaDiscoveryResponse {
  const typeUrl = typeUrls[type];
  return create(DeltaDiscoveryResponseSchema, {
    typeUrl,
    nonce: response.nonce,
    removedResources: [...response.removed],
    resources: response.resources.map(({ name, version, bytes }) => ({
      name,
      version,
      resource: { typeUrl, value: bytes },
    })),
  });
}
