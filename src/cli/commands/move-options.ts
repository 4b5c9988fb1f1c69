import { userInfo } from "node:os";
import { jsonOption, namespaceOption, type Command, type JsonOption } from "../command.ts";

/** Options that switch, shift and rollback share. */
export interface MoveOptions extends JsonOption {
  readonly namespace?: string;
  readonly route?: string;
  readonly reason?: string;
  readonly dryRun?: true;
}

export function addMoveOptions(command: Command): Command {
  return command
    .option(...namespaceOption)
    .option("-r, --route <route>", "a rule's name or number, where more than one could be meant")
    .option("--reason <text>", "why, for the history")
    .option("--dry-run", "print the plan and change nothing")
    .option(...jsonOption);
}

/** Whom a release hears, where that is not the account that asks: two people may share one. */
export const personOption = ["--as <name>", "who says it, where people share an account; that is kept too"] as const;

/** Who asks, for the history: the name that the system knows the user by. */
export function currentActor(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container's user id need not have a name.
    if (error instanceof Error && "code" in error) return env["USER"] ?? `uid ${process.getuid?.() ?? "unknown"}`;
    throw error;
  }
}
