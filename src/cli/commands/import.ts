import { Argument } from "commander";
import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface ImportOptions extends JsonOption {
  readonly namespace: string;
}

export function importCommand(context: CommandContext): Command {
  return createCommand("import", "a Release from another tool's object, with a note of each thing that has no equal")
    .addArgument(new Argument("<tool>", "whose objects are read").choices(["argo-rollout", "flagger-canary"]))
    .argument("<file...>", "files or folders that hold them, and what they refer to; - reads standard input")
    .option("-n, --namespace <namespace>", "the namespace of manifests that name none", "default")
    .option(...jsonOption)
    .action(async (tool: "argo-rollout" | "flagger-canary", paths: readonly string[], options: ImportOptions) => {
      const { runImport } = await import("./run-import.ts");
      await runImport(context, { tool, paths }, options);
    });
}
