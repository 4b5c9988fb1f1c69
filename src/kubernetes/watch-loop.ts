import { Backoff } from "./backoff.ts";
import type { KubeApi, KubeList, WatchEvent } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeKind } from "./kube-object.ts";
import { pause } from "./pause.ts";

/** What a loop tells, in the order in which it happened in the cluster. */
interface WatchSink {
  replaceAll(list: KubeList): void;
  observe(event: WatchEvent): void;
  /** Everything up to now is told, and a watch is open. */
  isCurrent(): void;
  /** Something may be missed until `isCurrent`. The loop has failed so many times in a row, and tries again. */
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

/**
 * A watch that goes on from an old version brings what was missed first, or says that it has forgotten it; it does not
 * say when that is over. It comes from the server's memory, within milliseconds.
 */
const catchUpMs = 300;

/** Lists once, then watches for ever: from where the last watch ended, or from a new list where that is forgotten. */
export class WatchLoop {
  readonly #options: WatchLoopOptions;
  readonly #backoff = new Backoff();
  /** What the store has seen; undefined where it has to be listed. */
  #version: string | undefined;
  #watch = new AbortController();

  constructor(options: WatchLoopOptions) {
    this.#options = options;
  }

  /** Ends when the signal says so; rejects for defects only. */
  async run(): Promise<void> {
    const { signal, sink } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#watchOnce(await this.#listOnce());
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        const waitMs = this.#backoff.nextMs();
        if (error.isExpired) this.#version = undefined;
        sink.isBehind(error, this.#backoff.failures);
        await pause(waitMs, signal);
      }
    }
  }

  /** Ends the watch that is open as if it had failed so. */
  interrupt(error: KubeError): void {
    this.#watch.abort(error);
  }

  /** False where there is a version to watch from. */
  async #listOnce(): Promise<boolean> {
    if (this.#version !== undefined) return false;
    const { api, kind, namespace, sink, signal } = this.#options;
    const list = await api.list(kind, { namespace, signal });
    sink.replaceAll(list);
    this.#version = list.resourceVersion;
    return true;
  }

  async #watchOnce(isFromList: boolean): Promise<void> {
    const { api, kind, namespace, sink } = this.#options;
    this.#watch = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, this.#watch.signal]);
    const beganAtMs = performance.now();
    const resourceVersion = this.#version ?? "";
    let caughtUp: NodeJS.Timeout | undefined;
    const onOpen = (): void => {
      if (isFromList) sink.isCurrent();
      else caughtUp = setTimeout(() => sink.isCurrent(), catchUpMs);
    };
    try {
      for await (const event of api.watch(kind, { namespace, resourceVersion, signal, onOpen })) {
        sink.observe(event);
        this.#version = event.kind === "bookmark" ? event.resourceVersion : event.object.metadata.resourceVersion;
        this.#backoff.succeeded();
      }
    } finally {
      clearTimeout(caughtUp);
    }
    if (performance.now() - beganAtMs < shortWatchMs) await pause(this.#backoff.nextMs(), this.#options.signal);
    else this.#backoff.succeeded();
  }
}
