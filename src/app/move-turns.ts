import type { MoveProgress, MoveResult } from "../api/types.ts";
import type { UpEvent } from "../app-types.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import type { Engine } from "../engine/engine.ts";
import { isolateListener } from "../engine/isolate-listener.ts";
import type { ReleaseHost } from "../engine/release-ports.ts";
import { endBrokenMoves } from "./end-broken-moves.ts";
import type { LiveMesh } from "./live-mesh.ts";
import type { LiveView } from "./live-view.ts";
import { ProofTimes } from "./proof-times.ts";
import { SerialWork } from "./serial-work.ts";
import { warnOfDefect } from "./warn-of-defect.ts";

export interface MoveTurnParts {
  readonly current: Pick<LiveMesh, "table">;
  readonly engine: Pick<Engine, "move" | "recover">;
  readonly view: Pick<LiveView, "showMove">;
  readonly onEvent: (event: UpEvent) => void;
  /** Called when a move has ended, in whatever way, before `move` resolves. */
  readonly onFinished: () => void;
}

/**
 * Carries moves and what releases lay out when their turn comes, and tells of their progress. Moves run side by side,
 * what is laid one at a time beside them, and what changes the routes as a whole alone.
 */
export class MoveTurns {
  readonly #parts: MoveTurnParts;
  readonly #work = new SerialWork();
  readonly #lays = new SerialWork();
  readonly #proofTimes = new ProofTimes();

  constructor(parts: MoveTurnParts) {
    this.#parts = parts;
  }

  /** `build` plans when its turn has come: what was saved or edited meanwhile would make an older plan untrue. */
  move(build: () => MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
    return this.#inTurn(async () => await this.#carryOut(build(), onProgress));
  }

  /** A move of a release; undefined where there is none any more. */
  moveForRelease(...[build, onWait]: Parameters<ReleaseHost["move"]>): ReturnType<ReleaseHost["move"]> {
    return this.#inTurn(async () => {
      const plan = build();
      if (plan === undefined) return undefined;
      return await this.#carryOut(plan, (progress) => {
        if (progress.kind === "waiting") onWait?.(progress.text);
      });
    });
  }

  /** Beside moves, which it takes no weight from, so that a release does not wait for all others; one at a time. */
  lay<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(() => this.#lays.exclusive(work));
  }

  /** After all that runs, and before all that is asked for meanwhile. */
  alone(work: () => Promise<void>): Promise<void> {
    return this.#work.exclusive(work);
  }

  /** Resolves when no move is in the milliseconds in which its weights are applied and proved. */
  async untilProved(): Promise<void> {
    await this.#proofTimes.over();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#work.shared(async () => {
      await endBrokenMoves(this.#parts);
      return await work();
    });
  }

  async #carryOut(plan: MovePlan, onProgress: (progress: MoveProgress) => void): Promise<MoveResult> {
    const { engine, view, onEvent, onFinished } = this.#parts;
    const report = isolateListener(onProgress, warnOfDefect(onEvent, "telling the caller how its move goes on"));
    using proofTime = this.#proofTimes.open();
    const { virtualService } = plan;
    return await engine.move(plan, (progress) => {
      proofTime.isUnderWay = progress.kind === "applying";
      report(progress);
      onEvent({ kind: "move", virtualService, progress });
      view.showMove(virtualService, progress);
      if (progress.kind === "finished") onFinished();
    });
  }
}
