import { isMoving, isOver } from "../core/release/state/release-phase.ts";
import type { ReleaseCommand } from "../core/release/state/release-state.ts";
import type { StoredRelease } from "./fold-releases.ts";
import type { ReleaseMoves } from "./release-moves.ts";

export interface GivenCommand {
  readonly command: ReleaseCommand;
  readonly actor: string;
  readonly moves: Pick<ReleaseMoves, "findConflict" | "planSet">;
  /** Throws KIR2034 while another release has one of its routes. */
  readonly checkFree: () => void;
}

/**
 * The command with what the table of phases alone cannot know: whose the weights are by now, and what a set would move.
 * Throws where that forbids it: KIR2034, KIR2038, and what planning weights refuses with.
 */
export function checkCommand(
  release: StoredRelease,
  { command, actor, moves, checkFree }: GivenCommand,
): ReleaseCommand {
  const { phase } = release.state;
  if (isMoving(phase)) return command;
  if (command.kind === "rollback") {
    // Going back from its end, it takes its routes again, which may be another one's by now.
    if (isOver(phase)) checkFree();
    const conflict = command.despiteChanges === true ? undefined : moves.findConflict(release);
    if (conflict !== undefined) throw conflict;
    return phase.kind === "rolledBack" ? { ...command, undoes: true } : command;
  }
  if (command.kind !== "set" || isOver(phase)) return command;
  const { raises } = moves.planSet(release, { shares: command.shares, actor });
  return { kind: "set", shares: command.shares, ...(raises ? { raises } : {}) };
}
