import type { LiveEvent } from "../api/types.ts";

type Listener = (event: LiveEvent) => void;

/** Hands live events to whoever listens now; keeps none. */
export class LiveFeed {
  readonly #listeners = new Set<Listener>();

  publish(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: Listener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
