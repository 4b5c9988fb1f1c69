import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { Leadership } from "../kubernetes/lease.ts";
import { type OpenedMesh, runTerm, type TermEnd, type TermParts } from "./run-term.ts";
import type { ReleaseReconciler } from "./reconcile/reconcile-release.ts";
import type { ReleaseObjects } from "./reconcile/release-objects.ts";
import { JournalFights } from "./journal/journal-fights.ts";
import type { WriterConnection } from "./journal/record-writer.ts";

export interface ControllerOptions {
  readonly api: KubeApi;
  /** How the thread that writes journals reaches the same API server. */
  readonly connection: WriterConnection;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Of this process, and of no other. */
  readonly identity: string;
  /** Where Releases are looked for; undefined in all namespaces. */
  readonly namespace: string | undefined;
  /** The Releases of the cluster, which a watch keeps. */
  readonly objects: ReleaseObjects;
  readonly allows: TermParts["allows"];
  /** What moves traffic, on a journal, for as long as this process leads. */
  readonly openMesh: TermParts["openMesh"];
  readonly onNote: (message: string) => void;
  readonly onTrouble: (message: string) => void;
  /** How long a step that is under way may take when the process is asked to end. */
  readonly stopMs?: number;
  /** Of the Lease; as `Leadership` has it. */
  readonly leaseMs?: number;
}

export type { OpenedMesh };

const defaultStopMs = 20_000;
/** After a term that ended otherwise than by request, so that others may lead. */
const pauseMs = 1_000;
const longestPauseMs = 300_000;

/**
 * Stands for election, and while it leads makes what the Releases of a cluster ask for happen. Disposing it ends the
 * step that is under way, within a bound, and gives the Lease back.
 */
export class Controller implements AsyncDisposable {
  readonly #options: ControllerOptions;
  readonly #stop = new AbortController();
  readonly #fights = new JournalFights();
  readonly #running: Promise<void>;
  #reconciler: ReleaseReconciler | undefined;
  #leader: string | undefined;

  private constructor(options: ControllerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  static start(options: ControllerOptions): Controller {
    return new Controller(options);
  }

  /** True from when it works on Releases. */
  get isWorking(): boolean {
    return this.#reconciler !== undefined;
  }

  /** Who leads; undefined while nobody does, as far as is known. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** A Release was written, or is gone. */
  releaseChanged(key: string): void {
    this.#reconciler?.objectChanged(key);
  }

  /** Routes have changed. */
  meshChanged(): void {
    this.#reconciler?.meshChanged();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let fights = 0;
    while (!this.#stop.signal.aborted) {
      const end = await this.#stand();
      // Of two that take the journals from each other, one has to wait longer and longer.
      fights = end === "foreign" ? fights + 1 : 0;
      const waitMs = Math.min(longestPauseMs, pauseMs * 2 ** fights * (1 + Math.random()));
      await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** One candidacy: ends with the term that it leads to, so that a controller that cannot work does not keep others out. */
  async #stand(): Promise<TermEnd | undefined> {
    const { api, lease, identity, leaseMs, onNote, onTrouble } = this.#options;
    const over = Promise.withResolvers<void>();
    this.#stop.signal.addEventListener("abort", () => over.resolve(), { once: true });
    let term: Promise<TermEnd | undefined> = Promise.resolve(undefined);
    await using leadership = Leadership.start({
      api,
      lease,
      identity,
      ...(leaseMs !== undefined && { leaseMs }),
      onLead: (signal) => {
        onNote("leads");
        term = this.#lead(signal).finally(() => over.resolve());
      },
      onLeader: (leader) => {
        this.#leader = leader;
        if (leader !== undefined && leader !== identity) onNote(`waits; ${leader} leads`);
      },
      onTrouble: (error) => onTrouble(`the Lease ${lease.namespace}/${lease.name}: ${error.message}`),
    });
    void leadership;
    await over.promise;
    // The Lease is kept until nothing of this term can happen any more.
    return await term;
  }

  async #lead(lost: AbortSignal): Promise<TermEnd | undefined> {
    const { stopMs = defaultStopMs, onTrouble, onNote } = this.#options;
    try {
      return await runTerm({
        ...this.#options,
        lost,
        stop: this.#stop.signal,
        stopMs,
        fights: this.#fights,
        onReady: (reconciler) => (this.#reconciler = reconciler),
        onEnd: () => (this.#reconciler = undefined),
      });
    } catch (error) {
      onTrouble(`cannot work on Releases: ${errorText(error)}`);
      return undefined;
    } finally {
      onNote("leads no more");
    }
  }
}
