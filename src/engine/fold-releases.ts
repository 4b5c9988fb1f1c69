import { advanceRelease, unstarted } from "../core/release/state/advance-release.ts";
import type { ReportedRelease } from "../core/release/report/walk-release.ts";
import { damagedRecord, type ReleaseEventRecord, type ReleaseRecord } from "./journal-record.ts";

/** A release as the journal tells it. */
export type StoredRelease = ReportedRelease;

/** Takes the records of releases one by one; the state of each is that of its events, and of nothing else. */
export class FoldedReleases {
  readonly #byId = new Map<string, StoredRelease>();

  /** Oldest first. */
  get all(): readonly StoredRelease[] {
    return [...this.#byId.values()];
  }

  get(id: string): StoredRelease | undefined {
    return this.#byId.get(id);
  }

  /** As if it had never been. */
  remove(id: string): void {
    this.#byId.delete(id);
  }

  add({ id, plan, at, actor, reason }: ReleaseRecord, seq: number): void {
    if (this.#byId.has(id)) throw damagedRecord(seq, `begins ${id} again`);
    this.#byId.set(id, { id, plan, startedAt: at, actor, reason, state: unstarted, events: [], traffic: [] });
  }

  /** The release after it. Throws KIR2020 for an event that the release cannot have had. */
  addEvent({ id, event, traffic }: ReleaseEventRecord, seq: number): StoredRelease {
    const release = this.#byId.get(id);
    if (release === undefined) throw damagedRecord(seq, `goes on with ${id}, which did not begin`);
    const advanced = advanceRelease(release.plan, release.state, event);
    if (advanced.kind === "notNow") throw damagedRecord(seq, `tells of ${id} what cannot have been`);
    const after = {
      ...release,
      state: advanced.state,
      events: [...release.events, event],
      traffic: [...release.traffic, traffic],
    };
    this.#byId.set(id, after);
    return after;
  }
}
