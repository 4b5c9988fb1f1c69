import { setTimeout as delay } from "node:timers/promises";
import { Backoff } from "./backoff.ts";
import type { KubeApi, KubeList, WatchEvent } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeKind } from "./kube-object.ts";

/** What a loop tells, in the order in which it happened in the cluster. */
export interface WatchSink {
  replaceAll(list: KubeList): void;
  observe(event: WatchEvent): void;
  /** A watch is open: whatever happens from now on is told. */
  isCurrent(): void;
  /** The loop has failed so many times in a row, and tries again. */
  isBehind(error: KubeError, failures: number): void;
}

export interface WatchLoopOptions {
  readonly api: KubeApi;
  readonly kind: KubeKind;
  /** Undefined for all. */
  readonly namespace: string | undefined;
  readonly sink: WatchSink;
  readonly signal: AbortSignal;
}

/** A server that ends watches sooner than this is waited for. */
const shortWatchMs = 1_000;

/** Lists once, then watches for ever: from where the last watch ended, or from a new list where that is forgotten. */
export class WatchLoop {
  readonly #options: WatchLoopOptions;
  readonly #backoff = new Backoff();
  /** What the store has seen; undefined where it has to be listed. */
  #version: string | undefined;

  constructor(options: WatchLoopOptions) {
    this.#options = options;
  }

  /** Ends when the signal says so; rejects for defects only. */
  async run(): Promise<void> {
    const { signal, sink } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#listOnce();
        await this.#watchOnce();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        const waitMs = this.#backoff.nextMs();
        // To be forgotten by the server is no trouble: the list comes next.
        if (error.isExpired) this.#version = undefined;
        else sink.isBehind(error, this.#backoff.failures);
        await this.#pause(waitMs);
      }
    }
  }

  async #listOnce(): Promise<void> {
    if (this.#version !== undefined) return;
    const { api, kind, namespace, sink, signal } = this.#options;
    const list = await api.list(kind, { namespace, signal });
    sink.replaceAll(list);
    this.#version = list.resourceVersion;
  }

  async #watchOnce(): Promise<void> {
    const { api, kind, namespace, sink, signal } = this.#options;
    const beganAtMs = performance.now();
    const resourceVersion = this.#version ?? "";
    const events = api.watch(kind, { namespace, resourceVersion, signal, onOpen: () => sink.isCurrent() });
    for await (const event of events) {
      sink.observe(event);
      this.#version = event.kind === "bookmark" ? event.resourceVersion : event.object.metadata.resourceVersion;
      this.#backoff.succeeded();
    }
    if (performance.now() - beganAtMs < shortWatchMs) await this.#pause(this.#backoff.nextMs());
    else this.#backoff.succeeded();
  }

  async #pause(durationMs: number): Promise<void> {
    const { signal } = this.#options;
    try {
      await delay(durationMs, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
