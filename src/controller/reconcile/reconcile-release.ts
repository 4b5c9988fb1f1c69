import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ClusterEvents } from "../cluster-events.ts";
import type { ControlledReleases, ControllerJournal } from "../controlled-releases.ts";
import { type CarriedOut, carryOutOrder } from "../orders/carry-out-order.ts";
import type { StartParts, StartRules } from "../start-release.ts";
import { isEnded } from "../status/build-status.ts";
import { BegunReleases } from "./begun-releases.ts";
import { ReconcileQueue } from "./reconcile-queue.ts";
import { ReleaseDeletions } from "./release-deletions.ts";
import { ReleaseNotes } from "./release-notes.ts";
import type { ReleaseObjects } from "./release-objects.ts";
import { ReleaseStarts } from "./release-starts.ts";
import { ReleaseStatuses, statusIntervalMs } from "./release-statuses.ts";

export interface ReconcilerParts {
  readonly api: Pick<KubeApi, "get" | "mergePatch">;
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

/** A change of the mesh may come with many others. */
const settleMs = 500;

/**
 * Makes what the Releases of a cluster ask for happen, and says in each of them what has become of it. It decides when a
 * release begins and ends; what it does in between is the engine's, which writes it down before it does it.
 */
export class ReleaseReconciler implements AsyncDisposable {
  readonly #parts: ReconcilerParts;
  readonly #queue: ReconcileQueue;
  readonly #begun: BegunReleases;
  readonly #starts: ReleaseStarts;
  readonly #deletions: ReleaseDeletions;
  readonly #statuses: ReleaseStatuses;
  readonly #notes: ReleaseNotes;
  /** The uid that each key had when it was looked at last. */
  readonly #uids = new Map<string, string>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#queue = new ReconcileQueue({
      work: (key) => this.#reconcile(key),
      onFailure: (key, error) =>
        parts.onTrouble(`Release ${key}: ${error instanceof Error ? error.message : String(error)}`),
    });
    this.#begun = new BegunReleases(parts);
    this.#starts = new ReleaseStarts(parts);
    this.#statuses = new ReleaseStatuses(parts);
    this.#notes = new ReleaseNotes(parts);
    this.#deletions = new ReleaseDeletions({
      ...parts,
      begun: this.#begun,
      onSettled: (key, uid) => this.#forget(key, uid),
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
    const release = object === undefined ? undefined : this.#begun.newest(object);
    if (object !== undefined && release !== undefined) {
      this.#notes.tellTurn(object, release);
      if (isEnded(release)) this.meshChanged();
    }
    this.#queue.add(key);
  }

  /** Routes have changed, or a release has ended: those that could not begin may begin now. */
  meshChanged(): void {
    for (const key of this.#starts.waiting()) this.#queue.addAfter(key, settleMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #reconcile(key: string): Promise<void> {
    const object = this.#parts.objects.get(key);
    const uid = object?.metadata.uid;
    if (this.#deletions.isReleased(key, uid)) return;
    const before = this.#uids.get(key);
    if (before !== undefined && before !== uid) this.#deletions.orphan(key, before);
    if (uid === undefined) this.#uids.delete(key);
    else this.#uids.set(key, uid);
    if (!(await this.#deletions.endOrphan(key))) {
      this.#queue.addAfter(key, statusIntervalMs);
      return;
    }
    if (object === undefined) return;
    if (object.metadata.deletionTimestamp === undefined) await this.#carryOut(key, object);
    else await this.#delete(key, object);
  }

  async #carryOut(key: string, object: KubeObject): Promise<void> {
    const damage = this.#parts.journal.damageOf(object.metadata.uid ?? "");
    if (damage !== undefined) {
      await this.#tell(key, object, { standing: { kind: "refused", code: damage.code, message: damage.message } });
      return;
    }
    const held = await this.#deletions.hold(object);
    const carried = await this.#obey(held);
    const current = carried?.object ?? held;
    const release = this.#begun.newest(current);
    const stand = this.#starts.stand(key, current, { release, isOrdered: carried?.starts === true });
    if (stand.againMs !== undefined) this.#queue.addAfter(key, stand.againMs);
    await this.#tell(key, current, { standing: stand.standing, order: carried?.order });
  }

  async #obey(object: KubeObject): Promise<CarriedOut | undefined> {
    const { api, objects, releases, nowMs } = this.#parts;
    const carried = await carryOutOrder(object, {
      api,
      releases,
      newest: () => this.#begun.newest(object),
      take: (written) => objects.take(written),
      nowMs: () => nowMs(),
    });
    if (carried !== undefined) this.#notes.tellOrder(object, carried);
    return carried;
  }

  async #delete(key: string, object: KubeObject): Promise<void> {
    const before = this.#begun.newest(object);
    const step = await this.#deletions.finish(key, object);
    if (step.kind === "done") return;
    this.#queue.addAfter(key, step.againMs);
    const release = this.#begun.newest(object) ?? before;
    if (release === undefined) return;
    await this.#tell(key, object, { standing: { kind: "begun", release: { ...release, message: step.message } } });
  }

  async #tell(key: string, object: KubeObject, what: Parameters<ReleaseStatuses["tell"]>[1]): Promise<void> {
    const waitMs = await this.#statuses.tell(object, what);
    if (waitMs !== undefined) this.#queue.addAfter(key, waitMs);
  }

  /** Its object is gone, or goes. */
  #forget(key: string, uid: string): void {
    const { journal, events } = this.#parts;
    journal.forget(uid);
    events.forget(uid);
    this.#starts.forget(key);
    this.#statuses.forget(uid);
    this.#notes.forget(uid);
    this.#uids.delete(key);
  }
}
