import { createCommand, type Command, type CommandContext } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { addMoveOptions, type MoveOptions } from "./move-options.ts";

export function rollbackCommand(context: CommandContext): Command {
  const command = createCommand("rollback", "undo the last move of a service; again, and it goes forward again")
    .argument("<name>", "a VirtualService, or a service where that is unambiguous; with --release, a release")
    .option("--release", "take everything that this release has moved back to where it was before it");
  return addMoveOptions(command).action(async (name: string, options: MoveOptions & { readonly release?: true }) => {
    if (options.release === true) {
      refuseMoveOptions(options);
      const { runReleaseOrder } = await import("./run-release-order.ts");
      return runReleaseOrder(context, { name, command: { kind: "rollback" } }, options);
    }
    const { runMove } = await import("./run-move.ts");
    await runMove(context, { verb: "rollback", name, to: {}, options });
  });
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
