import { movedServices } from "../../core/release/move/move.ts";
import { releasedServices } from "../../core/release/plan/plan-release.ts";
import type { JournalRecord } from "../../engine/journal-record.ts";

/**
 * Knows which Release each record belongs to. A move's belong to the release that has its VirtualService: it is the
 * only one that moves it while it lasts.
 */
export class RecordOwners {
  readonly #byRelease = new Map<string, string>();
  readonly #byMove = new Map<string, string>();
  readonly #byService = new Map<string, string>();
  readonly #idsOf = new Map<string, string[]>();

  /** The uid of the Release; undefined for a record that belongs to none that is known. */
  find(record: JournalRecord): string | undefined {
    switch (record.type) {
      case "release":
        return undefined;
      case "releaseEvent":
        return this.#byRelease.get(record.id);
      case "intent":
      case "refused":
        return this.#ofServices(movedServices(record.plan));
      case "restoring":
      case "outcome":
        return this.#byMove.get(record.id);
      case "manifest":
        return this.#ofServices([record.virtualService]);
    }
  }

  /** Call it for each record, oldest first. */
  add(record: JournalRecord, uid: string): void {
    if (record.type === "release") {
      this.#byRelease.set(record.id, uid);
      this.#idsOf.set(uid, [...this.releaseIds(uid), record.id]);
      for (const service of releasedServices(record.plan)) this.#byService.set(service, uid);
    }
    if (record.type === "intent") this.#byMove.set(record.id, uid);
    if (record.type === "outcome") this.#byMove.delete(record.id);
  }

  /** Oldest first: a Release that was changed after its end has begun more than once. */
  releaseIds(uid: string): readonly string[] {
    return this.#idsOf.get(uid) ?? [];
  }

  ownerOf(releaseId: string): string | undefined {
    return this.#byRelease.get(releaseId);
  }

  #ofServices(services: readonly string[]): string | undefined {
    return services.map((service) => this.#byService.get(service)).find((uid) => uid !== undefined);
  }
}
