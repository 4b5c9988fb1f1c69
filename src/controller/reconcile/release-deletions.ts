import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControlledReleases } from "../controlled-releases.ts";
import { controllerManager } from "../status/write-status.ts";
import type { BegunReleases } from "./begun-releases.ts";
import { type DeletionStep, finishDeletion, releaseFinalizer } from "./finish-deletion.ts";
import type { ReleaseObjects } from "./release-objects.ts";

export interface DeletionParts {
  readonly api: Pick<KubeApi, "mergePatch">;
  readonly objects: Pick<ReleaseObjects, "take">;
  readonly releases: Pick<ControlledReleases, "order" | "forget">;
  readonly begun: BegunReleases;
  readonly nowMs: () => number;
  /** Nobody asks for it any more, and nothing of it is kept. */
  readonly onSettled: (key: string, uid: string) => void;
}

/** Keeps Releases in the cluster until what they have changed is settled, and settles it for those that did not wait. */
export class ReleaseDeletions {
  readonly #parts: DeletionParts;
  /** The uid of what was let go, by key, for as long as the watch may still show it. */
  readonly #released = new Map<string, string>();
  /** The uid of what went without waiting, by key, until it is settled. */
  readonly #orphans = new Map<string, string>();

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /** From here on the object stays until what it has changed is settled. */
  async hold(object: KubeObject): Promise<KubeObject> {
    const { finalizers = [] } = object.metadata;
    return finalizers.includes(releaseFinalizer)
      ? object
      : await this.#writeFinalizers(object, [...finalizers, releaseFinalizer]);
  }

  /** Whether this was let go, and is seen only because the watch has not said so yet. Call it first for each key. */
  isReleased(key: string, uid: string | undefined): boolean {
    const released = this.#released.get(key);
    if (released === undefined) return false;
    if (released === uid) return true;
    this.#released.delete(key);
    return false;
  }

  /** Ends what a deleted object was doing, and lets it go; ask again for as long as it waits. */
  async finish(key: string, object: KubeObject): Promise<DeletionStep> {
    const { releases, begun, nowMs, onSettled } = this.#parts;
    const { finalizers = [], uid = "" } = object.metadata;
    if (!finalizers.includes(releaseFinalizer)) return { kind: "done" };
    const deleted = { id: begun.lastId(uid), release: begun.newest(object) };
    const step = await finishDeletion(object, deleted, { releases, nowMs: nowMs() });
    if (step.kind === "waits") return step;
    onSettled(key, uid);
    await this.#letGo(
      object,
      finalizers.filter((each) => each !== releaseFinalizer),
    );
    this.#released.set(key, uid);
    return step;
  }

  /** Somebody has taken the finalizer away: nobody says any more what the release should do, so it stops where it is. */
  orphan(key: string, uid: string): void {
    this.#parts.onSettled(key, uid);
    if (this.#parts.begun.lastId(uid) !== undefined) this.#orphans.set(key, uid);
  }

  /** True when nothing is left of one of that name that went without waiting. */
  async endOrphan(key: string): Promise<boolean> {
    const uid = this.#orphans.get(key);
    if (uid === undefined) return true;
    const { releases, begun, nowMs } = this.#parts;
    const id = begun.lastId(uid);
    const release = begun.named(key);
    if (release === undefined || release.id === id) {
      const nobody = { apiVersion: "", kind: "", metadata: { name: key } };
      const step = await finishDeletion(nobody, { id, release }, { releases, nowMs: nowMs() });
      if (step.kind === "waits") return false;
    }
    this.#orphans.delete(key);
    return true;
  }

  async #letGo(object: KubeObject, finalizers: readonly string[]): Promise<void> {
    try {
      await this.#writeFinalizers(object, finalizers);
    } catch (error) {
      // An earlier write of it has arrived, although nobody said so.
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
    }
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
}
