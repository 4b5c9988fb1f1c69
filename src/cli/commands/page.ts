import {
  createCommand,
  jsonOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export function pageCommand(context: CommandContext): Command {
  return createCommand("page", "print a new link to the status page; it signs one browser in")
    .option(...jsonOption)
    .action(async (options: JsonOption) => {
      const { connect } = await import("../connect.ts");
      const { meshEnvironment } = await import("../reach-mesh.ts");
      const { currentActor } = await import("./move-options.ts");
      const url = await (await connect(meshEnvironment(context))).createPageUrl(currentActor(context.env));
      printAnswer(context, { exitStatus: 0, data: { url }, text: () => url }, options);
    });
}
