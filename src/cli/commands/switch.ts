import { createCommand, type Command, type CommandContext } from "../command.ts";
import { addMoveOptions, type MoveOptions } from "./move-options.ts";

export function switchCommand(context: CommandContext): Command {
  const command = createCommand("switch", "move all public traffic of a service to one version, and prove it")
    .argument("<name>", "a VirtualService, or a service where that is unambiguous")
    .requiredOption("--to <version>", "the version: a subset, or a destination's host");
  return addMoveOptions(command).action(async (name: string, options: MoveOptions & { readonly to: string }) => {
    const { runMove } = await import("./run-move.ts");
    await runMove(context, { verb: "switch", name, to: { [options.to]: 100 }, options });
  });
}
