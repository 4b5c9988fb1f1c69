import type { LiveEvent, RecentMove } from "./types.ts";

const maxMoves = 200;

type MoveEvent = Extract<LiveEvent, { event: "move" }>;

/** The moves of this run, gathered from the live events; the oldest give way. */
export class RecentMoves {
  #moves: readonly RecentMove[] = [];

  list(): readonly RecentMove[] {
    return this.#moves;
  }

  add(event: LiveEvent): void {
    if (event.event === "move") this.#moves = withMoveEvent(this.#moves, event).slice(-maxMoves);
  }
}

/** A move shows from its plan on; a plan that is refused before any weight was sent leaves again. */
function withMoveEvent(moves: readonly RecentMove[], event: MoveEvent): readonly RecentMove[] {
  const { progress, virtualService, atMs } = event;
  if (progress.kind === "planned") {
    const { verb, from, to } = progress.plan;
    const begun: RecentMove = { virtualService, verb, from, to, calledAtMs: atMs, doneAtMs: null, result: null };
    return [...moves, begun];
  }
  const index = moves.findLastIndex((move) => move.virtualService === virtualService && move.result === null);
  const move = moves[index];
  if (move === undefined) return moves;
  if (progress.kind === "finished" && progress.result.outcome === "refused") return moves.toSpliced(index, 1);
  return moves.with(index, advanceMove(move, event));
}

function advanceMove(move: RecentMove, { progress, atMs }: MoveEvent): RecentMove {
  if (progress.kind === "applying") return { ...move, calledAtMs: atMs };
  // The measured duration is finer than the moment at which the event was handed on.
  if (progress.kind === "proved") return { ...move, doneAtMs: move.calledAtMs + progress.callToProofMs };
  if (progress.kind === "finished") return { ...move, result: progress.result };
  return move;
}
