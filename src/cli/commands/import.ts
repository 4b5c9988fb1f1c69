import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface ImportOptions extends JsonOption {
  readonly namespace: string;
}

export function importCommand(context: CommandContext): Command {
  const command = createCommand("import", "a Release from another tool's object, and what it has no equal for");
  const add = (tool: "argo-rollout" | "flagger-canary", summary: string): void => {
    command
      .command(tool)
      .description(summary)
      .exitOverride()
      .showHelpAfterError(false)
      .argument("<file...>", "files or folders of its manifests, and those that it refers to; - reads standard input")
      .option("-n, --namespace <namespace>", "the namespace of manifests that name none", "default")
      .option(...jsonOption)
      .action(async (paths: readonly string[], options: ImportOptions) => {
        const { runImport } = await import("./run-import.ts");
        await runImport(context, { tool, paths }, options);
      });
  };
  add("argo-rollout", "a Release from each Rollout of Argo Rollouts");
  add("flagger-canary", "a Release from each Canary of Flagger, and the routing that Flagger makes");
  return command;
}
