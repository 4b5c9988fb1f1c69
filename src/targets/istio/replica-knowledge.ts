import type { Clock } from "../../engine/ports.ts";
import type { IstiodPlace } from "./site-view.ts";

/** The answer holds all configuration of the mesh, so it is asked for seldom. */
const askEveryMs = 500;

/**
 * A replica gathers changes for a while (`PILOT_DEBOUNCE_AFTER`, 100 ms) and builds what it pushes before it gives a proxy
 * anything of what it has read.
 */
const gathersMs = 300;

/** Which replicas of istiod have been seen to know a change, so that a proxy that moves over to one is given it. */
export class ReplicaKnowledge {
  readonly #clock: Clock;
  readonly #isKnownTo: ((istiod: IstiodPlace) => Promise<boolean>) | undefined;
  readonly #informedMs = new Map<string, number>();
  readonly #askAgainMs = new Map<string, number>();

  /** Without a way to ask, every replica passes. */
  constructor(clock: Clock, isKnownTo: ((istiod: IstiodPlace) => Promise<boolean>) | undefined) {
    this.#clock = clock;
    this.#isKnownTo = isKnownTo;
  }

  knows(name: string): boolean {
    const sinceMs = this.#informedMs.get(name);
    return sinceMs !== undefined && this.#clock.nowMs() - sinceMs >= gathersMs;
  }

  async ask(istiod: IstiodPlace): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (this.#informedMs.has(istiod.name) || nowMs < (this.#askAgainMs.get(istiod.name) ?? 0)) return;
    this.#askAgainMs.set(istiod.name, nowMs + askEveryMs);
    if (this.#isKnownTo === undefined || (await this.#isKnownTo(istiod)))
      this.#informedMs.set(istiod.name, this.#clock.nowMs());
  }
}
