import { collectAdditions, stepsInPlace } from "../core/release/live/additions-in-place.ts";
import type { OwnedAddition } from "../core/routes/route-addition.ts";
import type { StoredRelease } from "./fold-releases.ts";

/**
 * Says what releases are to have laid over the routes. Their states say it, except while one has laid something and
 * the journal has not taken that yet: what is laid for another meanwhile must not take it away again.
 */
export class AdditionBook {
  /** How many steps of a release are to be in place, where that is not what its state says. */
  readonly #ahead = new Map<string, number>();

  /** From now on so many steps of a release count as done. */
  expect(id: string, stepsDone: number): void {
    this.#ahead.set(id, stepsDone);
  }

  /** From now on its state says it again. */
  settle(id: string): void {
    this.#ahead.delete(id);
  }

  /** Of all releases, given oldest first. */
  collect(releases: readonly StoredRelease[]): readonly OwnedAddition[] {
    return collectAdditions(
      releases.map(({ id, plan, state }) => ({
        plan,
        stepsDone: this.#ahead.get(id) ?? stepsInPlace(plan, state),
      })),
    );
  }
}
