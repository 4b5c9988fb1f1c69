import { createCommand, type Command, type CommandContext } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { addMoveOptions, type MoveOptions } from "./move-options.ts";

export function rollbackCommand(context: CommandContext): Command {
  const command = createCommand("rollback", "undo the last move of a service; again, and it goes forward again")
    .argument("<name>", "a VirtualService, or a service where that is unambiguous; with --release, a release")
    .option(
      "--release",
      "take everything that this release has moved back to where it was before it; again, and it is undone",
    )
    .option("--now", "with --release: all of it at once, whatever endpoints the version before has")
    .option("--despite-changes", "with --release: overwrite what others have changed since");
  return addMoveOptions(command).action(async (name: string, options: RollbackOptions) => {
    if (options.release === true) {
      refuseMoveOptions(options);
      const { runReleaseOrder } = await import("./run-release-order.ts");
      const { now, despiteChanges } = options;
      const how = { ...(now && { now }), ...(despiteChanges && { despiteChanges }) };
      return runReleaseOrder(context, { name, command: { kind: "rollback", ...how } }, options);
    }
    refuseReleaseOptions(options);
    const { runMove } = await import("./run-move.ts");
    await runMove(context, { verb: "rollback", name, to: {}, options });
  });
}

interface RollbackOptions extends MoveOptions {
  readonly release?: true;
  readonly now?: true;
  readonly despiteChanges?: true;
}

function refuseReleaseOptions({ now, despiteChanges }: RollbackOptions): void {
  if (now !== true && despiteChanges !== true) return;
  const option = now === true ? "--now" : "--despite-changes";
  throw usageError(`${option} goes with --release only.`, "A rollback of one move is always at once.");
}

/** What would be passed over in silence: somebody who asks for a plan alone must not get the rollback itself. */
function refuseMoveOptions({ dryRun, route }: MoveOptions): void {
  if (dryRun === true) {
    throw usageError(
      "--dry-run does not go with --release.",
      "`kirikae plan FILE` shows what undoes each step of a release.",
    );
  }
  if (route !== undefined) {
    throw usageError("--route does not go with --release.", "A release is taken back with all of its rules at once.");
  }
}
