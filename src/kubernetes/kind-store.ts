import type { KubeApi, KubeList, WatchEvent } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeKind, KubeObject } from "./kube-object.ts";
import { KindShelf, type ShelfChange } from "./kind-shelf.ts";
import { pause } from "./pause.ts";
import { WatchLoop } from "./watch-loop.ts";

export interface KindStoreOptions {
  readonly api: KubeApi;
  readonly kinds: readonly KubeKind[];
  /** Where the rights are for some only; undefined for all of them. */
  readonly namespaces?: readonly string[] | undefined;
  /** What has changed since the last time, each object once. Not called for what the first list holds. */
  readonly onChange: (changes: readonly KindChange[]) => void;
  /** Called once when the API server is lost, and once when the objects are current again. */
  readonly onTrouble: (trouble: StoreTrouble) => void;
}

export interface KindChange extends ShelfChange {
  readonly kind: KubeKind;
}

export type StoreTrouble =
  | { readonly kind: "lost"; readonly error: KubeError }
  | { readonly kind: "over"; readonly lostMs: number };

/** A burst of changes is told at once; whoever waits for a single one does not notice. */
const gatherMs = 10;

/** As client-go pings its connections, roughly; one that is not answered ends every watch. */
const pingEachMs = 10_000;
const pingWithinMs = 5_000;

/** A connection that breaks and is made again at once is not worth a word. */
const failuresToTell = 2;

/** One stream of changes: a kind in one namespace, or in all. */
interface Stream {
  readonly kind: KubeKind;
  readonly namespace: string | undefined;
  /** Since when it may miss something, of `performance.now()`; undefined while its watch is open. */
  lostSinceMs: number | undefined;
  isListed: boolean;
}

/**
 * The objects of some kinds as the cluster has them, kept current by watches. Without managedFields and kubectl's
 * last-applied annotation, which are half of the memory.
 */
export class KindStore implements AsyncDisposable {
  readonly #options: KindStoreOptions;
  readonly #shelves = new Map<string, KindShelf>();
  readonly #streams: Stream[] = [];
  readonly #stop = new AbortController();
  readonly #changes = new Map<string, KindChange>();
  readonly #waiting = new Set<() => void>();
  #loops: readonly WatchLoop[] = [];
  #ended: Promise<unknown> = Promise.resolve();
  #flush: NodeJS.Timeout | undefined;
  #toldAtMs: number | undefined;
  #hasStarted = false;

  private constructor(options: KindStoreOptions) {
    this.#options = options;
    for (const kind of options.kinds) {
      this.#shelves.set(keyOf(kind), new KindShelf());
      const namespaces = kind.isNamespaced ? (options.namespaces ?? [undefined]) : [undefined];
      const lostSinceMs = performance.now();
      for (const namespace of namespaces) this.#streams.push({ kind, namespace, lostSinceMs, isListed: false });
    }
  }

  /**
   * Resolves when everything is listed and watched.
   * @throws KubeError for the first list that is refused or not answered; nothing runs on then
   */
  static async start(options: KindStoreOptions): Promise<KindStore> {
    const store = new KindStore(options);
    try {
      await store.#begin();
      return store;
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** In no order that counts. */
  objects(kind: KubeKind): readonly KubeObject[] {
    return this.#shelfOf(kind).all();
  }

  /** @param name `namespace/name`, or the name alone of a kind that lives in no namespace */
  get(kind: KubeKind, name: string): KubeObject | undefined {
    return this.#shelfOf(kind).get(name);
  }

  /** The answer of a write, so that it is seen before the watch brings it. What is older than what is known is ignored. */
  take(object: KubeObject): void {
    const kind = this.#options.kinds.find(
      (each) => each.kind === object.kind && object.apiVersion.split("/").at(-2) === (each.group || undefined),
    );
    if (kind !== undefined) this.#note(kind, this.#shelfOf(kind).put(object));
  }

  /** Resolves when every watch is open, which may be at once. */
  whenSynced(): Promise<void> {
    if (this.#isCurrent()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /**
   * Whether something may have been missed for longer than this. A server or a connection that has died without a word
   * is noticed after 15 s.
   */
  isStale(maxAgeMs: number): boolean {
    const now = performance.now();
    return this.#streams.some(({ lostSinceMs }) => lostSinceMs !== undefined && now - lostSinceMs > maxAgeMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#flush);
    await this.#ended;
  }

  async #begin(): Promise<void> {
    const refused = Promise.withResolvers<never>();
    const { api } = this.#options;
    const { signal } = this.#stop;
    this.#loops = this.#streams.map((stream) => {
      const { kind, namespace } = stream;
      const sink = this.#sinkOf(stream, refused.reject);
      return new WatchLoop({ api, kind, namespace, sink, signal });
    });
    this.#ended = Promise.all([...this.#loops.map((loop) => loop.run()), this.#ping()]);
    await Promise.race([this.whenSynced(), refused.promise, this.#ended]);
    this.#hasStarted = true;
    this.#changes.clear();
  }

  /** An idle watch looks the same whether nothing happens or nobody is there any more. */
  async #ping(): Promise<void> {
    const { signal } = this.#stop;
    const { api } = this.#options;
    for (;;) {
      await pause(pingEachMs, signal);
      if (signal.aborted) return;
      try {
        await api.getText("/livez", { timeoutMs: pingWithinMs, signal });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        // To be refused is an answer.
        if (error.status === undefined) for (const loop of this.#loops) loop.interrupt(error);
      }
    }
  }

  #sinkOf(stream: Stream, refuse: (error: KubeError) => void) {
    const { kind, namespace } = stream;
    const shelf = this.#shelfOf(kind);
    return {
      replaceAll: (list: KubeList): void => {
        for (const change of shelf.replaceAll(list, namespace)) this.#note(kind, change);
        stream.isListed = true;
      },
      observe: (event: WatchEvent): void => this.#note(kind, shelf.observe(event, namespace)),
      isCurrent: (): void => {
        stream.lostSinceMs = undefined;
        if (this.#isCurrent()) this.#tellOver();
      },
      isBehind: (error: KubeError, failures: number): void => {
        stream.lostSinceMs ??= performance.now();
        // To be forgotten by the server is no trouble: a list comes next.
        if (error.isExpired) return;
        if (!this.#hasStarted) refuse(error);
        else if (failures >= failuresToTell) this.#tellLost(error, stream.lostSinceMs);
      },
    };
  }

  #tellLost(error: KubeError, sinceMs: number): void {
    if (this.#toldAtMs !== undefined) return;
    this.#toldAtMs = sinceMs;
    this.#options.onTrouble({ kind: "lost", error });
  }

  #tellOver(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
    if (this.#toldAtMs === undefined) return;
    const lostMs = performance.now() - this.#toldAtMs;
    this.#toldAtMs = undefined;
    // What was missed comes first, so that whoever goes on then has seen it.
    this.#tellChanges();
    this.#options.onTrouble({ kind: "over", lostMs });
  }

  #note(kind: KubeKind, change: ShelfChange | undefined): void {
    if (change === undefined || !this.#hasStarted) return;
    const key = `${keyOf(kind)} ${change.name}`;
    const before = this.#changes.get(key);
    this.#changes.set(key, { kind, ...change, before: before === undefined ? change.before : before.before });
    this.#flush ??= setTimeout(() => this.#tellChanges(), gatherMs);
  }

  #tellChanges(): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    if (this.#stop.signal.aborted || this.#changes.size === 0) return;
    const changes = [...this.#changes.values()].filter(({ before, object }) => before !== object);
    this.#changes.clear();
    if (changes.length > 0) this.#options.onChange(changes);
  }

  #isCurrent(): boolean {
    return this.#streams.every(({ isListed, lostSinceMs }) => isListed && lostSinceMs === undefined);
  }

  #shelfOf(kind: KubeKind): KindShelf {
    const shelf = this.#shelves.get(keyOf(kind));
    if (shelf === undefined) throw new Error(`the store was not started for ${keyOf(kind)}`);
    return shelf;
  }
}

function keyOf({ plural, group }: KubeKind): string {
  return `${plural}.${group}`;
}
