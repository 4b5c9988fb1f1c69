import { createCommand, type Command, type CommandContext } from "../command.ts";
import { addMoveOptions, type MoveOptions } from "./move-options.ts";
import { parseShares } from "./parse-shares.ts";

export function shiftCommand(context: CommandContext): Command {
  const command = createCommand("shift", "move a share of the public traffic; the live version keeps the rest")
    .argument("<name>", "a VirtualService, or a service where that is unambiguous")
    .requiredOption("--to <version=percent...>", "a version and its share, such as green=10; may be given again");
  return addMoveOptions(command).action(
    async (name: string, options: MoveOptions & { readonly to: readonly string[] }) => {
      const to = parseShares(options.to, "--to");
      const { runMove } = await import("./run-move.ts");
      await runMove(context, { verb: "shift", name, to, options });
    },
  );
}
