import { KirikaeError } from "../core/diagnostics/error.ts";
import { advanceRelease } from "../core/release/state/advance-release.ts";
import type { ReleaseCommand, ReleaseEffect, ReleaseEvent, ReleaseState } from "../core/release/state/release-state.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import { completeEvent } from "./complete-event.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { isNotNow } from "./is-not-now.ts";
import type { Clock } from "./ports.ts";
import type { ReleaseJournal } from "./release-ports.ts";
import type { ReleaseTimers } from "./release-timers.ts";

/** What has led to the state that a release is in now. */
export interface ReleaseChange {
  readonly before: ReleaseState;
  readonly event: ReleaseEvent;
}

export interface EventOptions {
  readonly journal: ReleaseJournal;
  readonly clock: Clock;
  readonly account?: string | undefined;
  readonly timers: ReleaseTimers;
  /** Nothing is written again once it is aborted. */
  readonly closing: AbortSignal;
  /** What the versions have answered since the last event. */
  trafficOf(id: string): TrafficSpan | undefined;
  /** It is in the journal; the effect, where there is one, is to be carried out. */
  onTaken(release: StoredRelease, change: ReleaseChange, effect: ReleaseEffect | undefined): void;
  onDefect(error: unknown): void;
}

const writeAgainMs = 2_000;

/** Writes down what happens to releases. Each event is in the journal before anything follows from it. */
export class ReleaseEvents {
  readonly #options: EventOptions;
  /** What happened to a release and could not be written down yet. */
  readonly #stalled = new Map<string, ReleaseEvent>();

  constructor(options: EventOptions) {
    this.#options = options;
  }

  get(id: string): StoredRelease {
    return this.#options.journal.release(id);
  }

  /** What happened to it that the journal could not take yet. */
  stalled(id: string): ReleaseEvent | undefined {
    return this.#stalled.get(id);
  }

  /** Throws KIR2034 for what the release cannot do now, and KIR2023 while the journal cannot be written. */
  take(id: string, happened: ReleaseEvent): StoredRelease {
    const { journal, account, timers } = this.#options;
    const before = this.get(id);
    const event = completeEvent(happened, { plan: before.plan, account });
    const advanced = advanceRelease(before.plan, before.state, event);
    if (advanced.kind === "notNow") throw notNow(before.plan.release, { event, because: advanced.because });
    const release = journal.recordReleaseEvent(id, event, this.#options.trafficOf(id));
    this.#stalled.delete(id);
    timers.stop(id);
    this.#options.onTaken(release, { before: before.state, event }, advanced.effect);
    return release;
  }

  /** Nobody waits for what happens by itself, so a journal that cannot be written must not end it, nor the process. */
  goOn(id: string, event: ReleaseEvent): void {
    try {
      this.take(id, event);
    } catch (error) {
      const { clock, timers, closing } = this.#options;
      if (this.#stalled.get(id) !== event) this.#options.onDefect(error);
      if (closing.aborted || isNotNow(error)) return;
      this.#stalled.set(id, event);
      timers.wakeAt(id, clock.nowMs() + writeAgainMs, () => this.goOn(id, event));
    }
  }
}

const askedWords: Readonly<Record<ReleaseCommand["kind"], string>> = {
  promote: "be promoted",
  pause: "be paused",
  resume: "be resumed",
  approve: "be approved",
  reject: "be rejected",
  retry: "be tried again",
  abort: "be aborted",
  rollback: "be rolled back",
  set: "have its weights set",
};

function notNow(
  release: string,
  { event, because }: { readonly event: ReleaseEvent; readonly because: string },
): KirikaeError {
  const asked = "actor" in event ? askedWords[event.kind] : event.kind;
  return new KirikaeError("KIR2034", `${release} cannot ${asked} now, because ${because}.`, {
    exitStatus: 1,
    hint: "`kirikae list` shows what each release is doing.",
  });
}
