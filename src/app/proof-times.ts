/**
 * The milliseconds in which weights are applied and proved. What can wait, waits for them to end: putting together a
 * sample of 10,000 services keeps this process busy for tens of milliseconds, which would count as the proof's.
 */
export class ProofTimes {
  readonly #underWay = new Map<ProofTime, PromiseWithResolvers<void>>();

  /** For one move; disposed when it has ended in whatever way. */
  open(): ProofTime {
    const underWay = this.#underWay;
    return {
      get isUnderWay() {
        return underWay.has(this);
      },
      set isUnderWay(isUnderWay: boolean) {
        if (isUnderWay === underWay.has(this)) return;
        if (isUnderWay) {
          underWay.set(this, Promise.withResolvers());
          return;
        }
        underWay.get(this)?.resolve();
        underWay.delete(this);
      },
      [Symbol.dispose]() {
        this.isUnderWay = false;
      },
    };
  }

  /** Resolves when no proof is under way. */
  async over(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all([...this.#underWay.values()].map(({ promise }) => promise));
  }
}

export interface ProofTime extends Disposable {
  isUnderWay: boolean;
}
