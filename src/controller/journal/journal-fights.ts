/** Between two times that a controller steps down for the journals of one namespace. */
const pauseMs = 600_000;
/** Namespaces beyond are forgotten, the oldest first. */
const mostNamespaces = 1_000;

/**
 * Decides what a controller does that finds its journals written by somebody else. It steps down once, and reads
 * everything anew: that settles it where another controller was to lead. Where the same namespace's are written again
 * soon, two controllers do not know of each other, or somebody who may write ConfigMaps there wants the controller to stop.
 * Then only the Releases of that namespace are left to them, because the others have done nothing.
 */
export class JournalFights {
  readonly #steppedDownAtMs = new Map<string, number>();

  /** Whether all is to be read anew, rather than one Release left alone. */
  stepsDownFor(namespace: string, nowMs: number): boolean {
    const beforeMs = this.#steppedDownAtMs.get(namespace) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < beforeMs + pauseMs) return false;
    this.#steppedDownAtMs.delete(namespace);
    this.#steppedDownAtMs.set(namespace, nowMs);
    const [oldest = namespace] = this.#steppedDownAtMs.keys();
    if (this.#steppedDownAtMs.size > mostNamespaces) this.#steppedDownAtMs.delete(oldest);
    return true;
  }
}
