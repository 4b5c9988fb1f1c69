import { KirikaeError } from "../core/diagnostics/error.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import { isUnwritten } from "./is-unwritten.ts";
import { judgeMove, type StepOutcome } from "./judge-move.ts";
import { LimitedPlaces } from "./limited-places.ts";
import type { Clock } from "./ports.ts";
import type { ReleaseEvents } from "./release-events.ts";
import type { ReleaseHost } from "./release-ports.ts";
import type { Turns } from "./turns.ts";
import { addSights } from "./watch-step.ts";

/** How one step is carried out: what is laid over the routes, and the weights that are moved, in their order. */
export interface StepWork {
  /** Absent where no weights are moved. */
  readonly build?: () => MovePlan | undefined;
  /** Whether it moves the weights of a step, and not back. */
  readonly isForward?: true;
  readonly before?: () => Promise<void>;
  /** Once the weights are proved. */
  readonly after?: () => Promise<void>;
  /** What is written down of the outcome; undefined is nothing. Absent is the outcome itself. */
  readonly conclude?: (outcome: StepOutcome) => Promise<StepEvent | undefined>;
}

/** What can have come of a step, without its time. */
type StepEvent =
  | StepOutcome
  | Omit<Extract<ReleaseEvent, { kind: "moved" }>, "atMs">
  | Omit<Extract<ReleaseEvent, { kind: "moveFailed" }>, "atMs">
  | Omit<Extract<ReleaseEvent, { kind: "partlyBack" }>, "atMs">;

interface Unwritten {
  readonly kind: "unwritten";
  readonly error: unknown;
}

export interface StepOptions {
  readonly host: Pick<ReleaseHost, "move" | "look" | "watcher" | "mostForward">;
  readonly clock: Clock;
  readonly events: Pick<ReleaseEvents, "get" | "goOn">;
  readonly turns: Turns;
  /** No step begins once it is aborted. */
  readonly closing: AbortSignal;
  /** Hears whom the proof of a step waits for. */
  onWait(id: string, text: string): void;
  onDefect(error: unknown): void;
}

const tryAgainMs = 2_000;

/** Carries out the steps of releases, side by side, and writes down what came of each. One a release at a time. */
export class StepRuns {
  readonly #options: StepOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #unwritten = new Set<string>();
  readonly #forward: LimitedPlaces;

  constructor(options: StepOptions) {
    this.#options = options;
    this.#forward = new LimitedPlaces(options.host.mostForward ?? Number.POSITIVE_INFINITY);
  }

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** Whether its step waits until the journal can be written. */
  isStalled(id: string): boolean {
    return this.#unwritten.has(id);
  }

  begin(id: string, work: StepWork): void {
    if (this.#options.closing.aborted) return;
    this.#running.set(id, this.#run(id, work));
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  async #run(id: string, work: StepWork): Promise<void> {
    const { host, clock, events, closing } = this.#options;
    // Nothing waits on its way back.
    using place = work.isForward === true ? await this.#takePlace(id) : undefined;
    void place;
    if (closing.aborted) return void this.#running.delete(id);
    const { plan } = events.get(id);
    const endWatch = host.watcher?.watch(plan, { movesForward: work.isForward === true });
    const moved = await this.#moveWhenWritten(id, work);
    const sights = await endWatch?.(moved?.kind ?? "moveFailed");
    if (moved === undefined) return void this.#running.delete(id);
    const outcome = addSights(moved, sights);
    const atMs = clock.nowMs();
    // What was answered until here belongs to the step that ends here.
    await host.look?.();
    this.#running.delete(id);
    const event = work.conclude === undefined ? outcome : await work.conclude(outcome);
    if (event !== undefined) events.goOn(id, { ...event, atMs });
  }

  async #takePlace(id: string): Promise<Disposable> {
    await this.#options.turns.next();
    if (this.#forward.isFull) this.#options.onWait(id, "others move first");
    return await this.#forward.take();
  }

  /**
   * Carries the step out anew for as long as the journal cannot be written: what broke off is ended then by what is live,
   * as the next process would do, and so is what it left. Undefined when it was told to stop, and the next process does.
   */
  async #moveWhenWritten(id: string, work: StepWork): Promise<StepOutcome | undefined> {
    const { clock, closing } = this.#options;
    try {
      for (;;) {
        const moved = await this.#move(id, work);
        if (moved.kind !== "unwritten") return moved;
        if (closing.aborted) return undefined;
        if (!this.#unwritten.has(id)) this.#options.onDefect(moved.error);
        this.#unwritten.add(id);
        await clock.sleep(tryAgainMs);
        if (closing.aborted) return undefined;
      }
    } finally {
      this.#unwritten.delete(id);
    }
  }

  async #move(id: string, { build, before, after }: StepWork): Promise<StepOutcome | Unwritten> {
    const { host } = this.#options;
    try {
      await before?.();
      const result = build === undefined ? undefined : await host.move(build, (text) => this.#options.onWait(id, text));
      const outcome = result === undefined ? ({ kind: "moved", failed: 0 } as const) : judgeMove(result);
      if (outcome.kind === "moved") await after?.();
      return outcome;
    } catch (error) {
      if (isUnwritten(error)) return { kind: "unwritten", error };
      if (!(error instanceof KirikaeError)) this.#options.onDefect(error);
      return { kind: "moveFailed", reason: errorText(error) };
    }
  }
}
