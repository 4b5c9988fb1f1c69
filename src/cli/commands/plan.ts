import {
  createCommand,
  jsonOption,
  manifestNamespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface PlanOptions extends JsonOption {
  readonly release?: string;
  readonly namespace: string | undefined;
}

export function planCommand(context: CommandContext): Command {
  return createCommand("plan", "what a Release would do, step by step, and how each step is undone; nothing runs")
    .argument("<file>", "the file of the Release; - reads standard input")
    .argument("[path...]", "folders or files of the manifests it is about; the file's own folder by default")
    .option("--release <namespace/name>", "which Release of the file is meant, where it holds several")
    .addOption(manifestNamespaceOption())
    .option(...jsonOption)
    .action(async (file: string, paths: readonly string[], options: PlanOptions) => {
      const { runPlan } = await import("./run-plan.ts");
      await runPlan(context, { file, paths }, options);
    });
}
