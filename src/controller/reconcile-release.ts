import type { ReleaseLive, ReleaseStatus } from "../api/types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { KubeApi } from "../kubernetes/kube-api.ts";
import { KubeError } from "../kubernetes/kube-error.ts";
import { kubeKinds } from "../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import type { ClusterEvents } from "./cluster-events.ts";
import type { ControlledReleases, ControllerJournal } from "./controlled-releases.ts";
import { describeTurn } from "./describe-turn.ts";
import { finishDeletion, releaseFinalizer } from "./finish-deletion.ts";
import { type CarriedOut, carryOutOrder } from "./orders/carry-out-order.ts";
import { ReconcileQueue } from "./reconcile-queue.ts";
import { buildStatus, isEnded } from "./status/build-status.ts";
import type { Standing } from "./status/conditions.ts";
import type { OrderStatus } from "./status/release-status.ts";
import { controllerManager, readStatus, writeStatus } from "./status/write-status.ts";
import { askLive } from "./status/ask-live.ts";
import { startRelease, type StartParts, type StartRules } from "./start-release.ts";

export interface ReconcilerParts {
  readonly api: Pick<KubeApi, "get" | "mergePatch">;
  /** The Releases of the cluster, as a watch keeps them. */
  readonly objects: ReleaseObjects;
  readonly releases: ControlledReleases;
  /** The objects that have the rules of these splits. */
  readonly writtenBy: StartParts["writtenBy"];
  readonly journal: ControllerJournal;
  readonly events: Pick<ClusterEvents, "tell" | "forget">;
  readonly allows: StartRules;
  /** The name of this controller. */
  readonly controller: string;
  readonly nowMs: () => number;
  readonly onTrouble: (message: string) => void;
  readonly onNote: (message: string) => void;
}

export interface ReleaseObjects {
  /** By `namespace/name`. */
  get(key: string): KubeObject | undefined;
  keys(): readonly string[];
  /** Takes what a write has answered at once. */
  take(object: KubeObject): void;
}

/** Between two writes of one Release's status. */
const statusIntervalMs = 1_000;
/** A change of the mesh may come with many others. */
const settleMs = 500;

/**
 * Makes what the Releases of a cluster ask for happen, and says in each of them what has become of it. It decides when a
 * release begins and ends; what it does in between is the engine's, which writes it down before it does it.
 */
export class ReleaseReconciler implements AsyncDisposable {
  readonly #parts: ReconcilerParts;
  readonly #queue: ReconcileQueue;
  /** The uid that each key had when it was looked at last. */
  readonly #uids = new Map<string, string>();
  /** Releases whose object went without waiting for them, by key. */
  readonly #orphans = new Map<string, string>();
  /** Those that could not begin, and how often that was. */
  readonly #waiting = new Map<string, number>();
  readonly #writtenAtMs = new Map<string, number>();
  /** How many events of each the cluster was told. */
  readonly #told = new Map<string, number>();
  readonly #live = new Map<string, { readonly events: number; readonly live: ReleaseLive | undefined }>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#queue = new ReconcileQueue({
      work: (key) => this.#reconcile(key),
      onFailure: (key, error) =>
        parts.onTrouble(`Release ${key}: ${error instanceof Error ? error.message : String(error)}`),
    });
  }

  /** Looks at every Release; call it when the watch has seen all of them. */
  start(): void {
    for (const key of this.#parts.objects.keys()) this.#queue.add(key);
  }

  /** The object was written, or is gone. */
  objectChanged(key: string): void {
    const uid = this.#parts.objects.get(key)?.metadata.uid;
    // Routes that were written just before it come by watches of their own, and it must not be planned on those before.
    if (uid !== undefined && uid !== this.#uids.get(key)) this.#queue.addAfter(key, settleMs);
    else this.#queue.add(key);
  }

  /** Something has happened to a release. */
  releaseChanged(key: string): void {
    const object = this.#parts.objects.get(key);
    const release = object === undefined ? undefined : this.#newest(object);
    if (object !== undefined && release !== undefined) {
      for (const note of this.#isTold(object, release) ? [] : describeTurn(release)) {
        this.#parts.events.tell(object.metadata, note);
        this.#parts.onNote(`${key}: ${note.message}`);
      }
      if (isEnded(release)) this.meshChanged();
    }
    this.#queue.add(key);
  }

  /** A release also says anew what it waits for, and nothing has happened to it then. */
  #isTold({ metadata }: KubeObject, { events }: ReleaseStatus): boolean {
    const uid = metadata.uid ?? "";
    const told = this.#told.get(uid);
    this.#told.set(uid, events.length);
    return told === events.length;
  }

  /** Routes have changed, or a release has ended: those that could not begin may begin now. */
  meshChanged(): void {
    for (const key of this.#waiting.keys()) this.#queue.addAfter(key, settleMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #reconcile(key: string): Promise<void> {
    const object = this.#parts.objects.get(key);
    const uid = object?.metadata.uid;
    const before = this.#uids.get(key);
    if (before !== undefined && before !== uid) this.#orphan(key, before);
    if (uid === undefined) this.#uids.delete(key);
    else this.#uids.set(key, uid);
    const orphan = this.#orphans.get(key);
    if (orphan !== undefined && !(await this.#endOrphan(key, orphan))) {
      this.#queue.addAfter(key, statusIntervalMs);
      return;
    }
    if (object !== undefined) await this.#reconcileObject(key, object);
  }

  async #reconcileObject(key: string, object: KubeObject): Promise<void> {
    if (object.metadata.deletionTimestamp !== undefined) {
      await this.#delete(key, object);
      return;
    }
    const damage = this.#parts.journal.damageOf(object.metadata.uid ?? "");
    if (damage !== undefined) {
      await this.#tell(key, object, { standing: { kind: "refused", code: damage.code, message: damage.message } });
      return;
    }
    const held = await this.#hold(object);
    const carried = await this.#obey(held);
    const current = carried?.object ?? held;
    const standing = this.#stand(key, current, carried?.starts === true);
    await this.#tell(key, current, { standing, order: carried?.order });
  }

  /** What the Release is now, after it has begun where it should. */
  #stand(key: string, object: KubeObject, isOrdered: boolean): Standing {
    const release = this.#newest(object);
    if (release !== undefined && !isOrdered && !this.#beginsAnew(object, release)) {
      this.#waiting.delete(key);
      return { kind: "begun", release };
    }
    const standing = startRelease(object, this.#parts);
    if (standing.kind === "begun") {
      this.#waiting.delete(key);
      return standing;
    }
    const tries = this.#waiting.get(key) ?? 0;
    this.#waiting.set(key, tries + 1);
    this.#queue.addAfter(key, Math.min(300_000, 5_000 * 2 ** Math.min(tries, 6)));
    return release === undefined ? standing : { kind: "begun", release };
  }

  /**
   * A changed spec is begun when the one before is done. After any other end it is begun only where it was changed after
   * that end: whoever has just seen it rolled back does not want it to go forward again by itself.
   */
  #beginsAnew(object: KubeObject, release: ReleaseStatus): boolean {
    const { generation = 0 } = object.metadata;
    const started = this.#parts.journal.generationOf(release.id);
    if (!isEnded(release) || started === undefined || generation === started) return false;
    if (release.phase === "done") return true;
    const { endedGeneration, release: told } = readStatus(object);
    return told === release.id && endedGeneration !== undefined && generation > endedGeneration;
  }

  /** What this very object has begun last; another one of its name before it does not count. */
  #newest({ metadata }: KubeObject): ReleaseStatus | undefined {
    const { uid = "", namespace = "", name } = metadata;
    const id = this.#parts.journal.releaseIds(uid).at(-1);
    if (id === undefined) return undefined;
    const release = this.#parts.releases.get(`${namespace}/${name}`);
    return release.id === id ? release : undefined;
  }

  /** From here on the object stays until what it has changed is settled. */
  async #hold(object: KubeObject): Promise<KubeObject> {
    const { finalizers = [] } = object.metadata;
    return finalizers.includes(releaseFinalizer)
      ? object
      : await this.#writeFinalizers(object, [...finalizers, releaseFinalizer]);
  }

  async #writeFinalizers(object: KubeObject, finalizers: readonly string[]): Promise<KubeObject> {
    const { api, objects } = this.#parts;
    const { namespace, name, resourceVersion } = object.metadata;
    const written = await api.mergePatch(
      kubeKinds.release,
      { namespace, name },
      { fieldManager: controllerManager, patch: { metadata: { resourceVersion, finalizers } } },
    );
    // One without finalizers and with a time of deletion is gone with this answer.
    if (finalizers.length > 0 || object.metadata.deletionTimestamp === undefined) objects.take(written);
    return written;
  }

  async #obey(object: KubeObject): Promise<CarriedOut | undefined> {
    const { api, objects, releases, nowMs, events } = this.#parts;
    const carried = await carryOutOrder(object, {
      api,
      releases,
      newest: () => this.#newest(object),
      take: (written) => objects.take(written),
      nowMs: () => nowMs(),
    });
    if (carried === undefined) return undefined;
    const { order } = carried;
    const isRefused = order.state === "Refused";
    events.tell(object.metadata, {
      type: isRefused ? "Warning" : "Normal",
      reason: isRefused ? "OrderRefused" : "OrderAccepted",
      message: `${order.order} by ${order.actor}${isRefused ? `: ${order.message ?? ""}` : ""}`,
    });
    return carried;
  }

  async #delete(key: string, object: KubeObject): Promise<void> {
    const { finalizers = [] } = object.metadata;
    if (!finalizers.includes(releaseFinalizer)) return;
    const { releases, journal, nowMs, events } = this.#parts;
    const release = this.#newest(object);
    const step = await finishDeletion(object, release, { releases, nowMs: nowMs() });
    if (step.kind === "waits" && release !== undefined) {
      this.#queue.addAfter(key, step.againMs);
      const told = this.#newest(object) ?? release;
      await this.#tell(key, object, { standing: { kind: "begun", release: { ...told, message: step.message } } });
      return;
    }
    const uid = object.metadata.uid ?? "";
    journal.forget(uid);
    events.forget(uid);
    this.#waiting.delete(key);
    this.#uids.delete(key);
    this.#forgetObject(uid);
    await this.#writeFinalizers(
      object,
      finalizers.filter((each) => each !== releaseFinalizer),
    );
  }

  #forgetObject(uid: string): void {
    this.#writtenAtMs.delete(uid);
    this.#live.delete(uid);
    this.#told.delete(uid);
  }

  /** Somebody has taken the finalizer away: nobody says any more what the release should do, so it stops where it is. */
  #orphan(key: string, uid: string): void {
    const { journal, events } = this.#parts;
    journal.forget(uid);
    events.forget(uid);
    this.#waiting.delete(key);
    this.#forgetObject(uid);
    if (journal.releaseIds(uid).length > 0) this.#orphans.set(key, uid);
  }

  /** True when nothing of it is left. */
  async #endOrphan(key: string, uid: string): Promise<boolean> {
    const { releases, journal } = this.#parts;
    const id = journal.releaseIds(uid).at(-1);
    const release = this.#named(key);
    if (release !== undefined && release.id === id) {
      const step = await finishDeletion({ apiVersion: "", kind: "", metadata: { name: key } }, release, {
        releases,
        nowMs: this.#parts.nowMs(),
      });
      if (step.kind === "waits") return false;
    }
    this.#orphans.delete(key);
    return true;
  }

  /** The newest of the name, whichever object has begun it. */
  #named(key: string): ReleaseStatus | undefined {
    try {
      return this.#parts.releases.get(key);
    } catch (error) {
      if (error instanceof KirikaeError && error.code === "KIR2035") return undefined;
      throw error;
    }
  }

  async #tell(
    key: string,
    object: KubeObject,
    { standing, order }: { readonly standing: Standing; readonly order?: OrderStatus | undefined },
  ): Promise<void> {
    const { api, objects, journal, releases, controller, nowMs } = this.#parts;
    const { uid = "", name, generation = 0 } = object.metadata;
    const waitMs = (this.#writtenAtMs.get(uid) ?? Number.NEGATIVE_INFINITY) + statusIntervalMs - nowMs();
    if (waitMs > 0 && order === undefined) {
      this.#queue.addAfter(key, waitMs);
      return;
    }
    const release = standing.kind === "begun" ? standing.release : undefined;
    const known = this.#live.get(uid);
    const live = release === undefined ? undefined : await askLive(release, { known, releases });
    if (release !== undefined) this.#live.set(uid, { events: release.events.length, live });
    const status = buildStatus({
      standing,
      generation,
      before: readStatus(object),
      startedGeneration: release === undefined ? undefined : journal.generationOf(release.id),
      journal: journal.describe({ name, uid }),
      live,
      lastOrder: order,
      controller,
      now: new Date(nowMs()).toISOString(),
    });
    this.#writtenAtMs.set(uid, nowMs());
    try {
      const written = await writeStatus(api, object, { status });
      if (written !== undefined) objects.take(written);
    } catch (error) {
      // It went while this was written.
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
    }
  }
}
