import {
  createCommand,
  jsonOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export function listCommand(context: CommandContext): Command {
  return createCommand("list", "the releases that were started, and what each is doing")
    .option(...jsonOption)
    .action(async (options: JsonOption) => {
      const { connect } = await import("../connect.ts");
      const releases = await (await connect(context.env)).releases();
      const { renderReleases } = await import("../print/release.ts");
      printAnswer(context, { exitStatus: 0, data: releases, text: (ink) => renderReleases(releases, ink) }, options);
    });
}
