import type { LiveEvent } from "../api/types.ts";
import { isolateListener } from "../engine/isolate-listener.ts";

type Listener = (event: LiveEvent) => void;

/** Hands live events to whoever listens now; keeps none. A listener that throws disturbs neither the others nor us. */
export class LiveFeed {
  readonly #listeners = new Set<Listener>();

  readonly #onDefect: ((error: unknown) => void) | undefined;

  constructor(onDefect?: (error: unknown) => void) {
    this.#onDefect = onDefect;
  }

  publish(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: Listener): Disposable {
    const isolated = isolateListener(listener, this.#onDefect);
    this.#listeners.add(isolated);
    return { [Symbol.dispose]: () => void this.#listeners.delete(isolated) };
  }
}
