import type { ReleaseLive } from "../../api/types.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControlledReleases, ControllerJournal } from "../controlled-releases.ts";
import { askLive } from "../status/ask-live.ts";
import { buildStatus } from "../status/build-status.ts";
import type { Standing } from "../status/conditions.ts";
import type { OrderStatus } from "../status/release-status.ts";
import { readStatus, writeStatus } from "../status/write-status.ts";
import type { ReleaseObjects } from "./release-objects.ts";

export interface StatusParts {
  readonly api: Pick<KubeApi, "mergePatch">;
  readonly objects: Pick<ReleaseObjects, "take">;
  readonly releases: Pick<ControlledReleases, "look">;
  readonly journal: Pick<ControllerJournal, "generationOf" | "describe">;
  /** The name of this controller. */
  readonly controller: string;
  readonly nowMs: () => number;
}

/** Between two times that something is written of one Release. */
export const statusIntervalMs = 1_000;

/** Writes into Releases what has become of them, and no more often than people can read it. */
export class ReleaseStatuses {
  readonly #parts: StatusParts;
  readonly #writtenAtMs = new Map<string, number>();
  readonly #live = new Map<string, { readonly events: number; readonly live: ReleaseLive | undefined }>();

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  forget(uid: string): void {
    this.#writtenAtMs.delete(uid);
    this.#live.delete(uid);
  }

  /** In how many milliseconds it may be written, where that is not now; what became of an order is written at once. */
  async tell(
    object: KubeObject,
    { standing, order }: { readonly standing: Standing; readonly order?: OrderStatus | undefined },
  ): Promise<number | undefined> {
    const { api, objects, journal, controller, nowMs } = this.#parts;
    const { uid = "", name, generation = 0 } = object.metadata;
    const waitMs = (this.#writtenAtMs.get(uid) ?? Number.NEGATIVE_INFINITY) + statusIntervalMs - nowMs();
    if (waitMs > 0 && order === undefined) return waitMs;
    const release = standing.kind === "begun" ? standing.release : undefined;
    const live = release === undefined ? undefined : await this.#look(uid, release);
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
    return undefined;
  }

  async #look(uid: string, release: Parameters<typeof askLive>[0]): Promise<ReleaseLive | undefined> {
    const live = await askLive(release, { known: this.#live.get(uid), releases: this.#parts.releases });
    this.#live.set(uid, { events: release.events.length, live });
    return live;
  }
}
