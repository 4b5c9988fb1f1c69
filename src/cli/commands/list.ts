import {
  createCommand,
  jsonOption,
  namespaceOption,
  printAnswer,
  type Answer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

interface ListOptions extends JsonOption {
  readonly namespace?: string;
}

export function listCommand(context: CommandContext): Command {
  return createCommand("list", "the releases that were started, newest first; of one, what happened and who did what")
    .argument("[name]", "only the newest release of this name")
    .option(...namespaceOption)
    .option(...jsonOption)
    .action(async (name: string | undefined, options: ListOptions) => {
      const { connect } = await import("../connect.ts");
      const api = await connect(context.env);
      const { renderReleases, renderReleaseStory } = await import("../print/release.ts");
      if (name === undefined) {
        const releases = await api.releases();
        const text: Answer["text"] = (ink) => renderReleases(releases, ink);
        return printAnswer(context, { exitStatus: 0, data: releases, text }, options);
      }
      const found = await api.release(name, { namespace: options.namespace, live: false });
      return printAnswer(
        context,
        { exitStatus: 0, data: found, text: (ink) => renderReleaseStory(found, ink) },
        options,
      );
    });
}
