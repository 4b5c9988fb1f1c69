import { Option } from "commander";
import { createCommand, manifestNamespaceOption, type Command, type CommandContext } from "../command.ts";

export interface EmitOptions {
  readonly type: "all" | "listeners" | "routes" | "clusters" | "endpoints" | "secrets";
  readonly format: "json" | "yaml";
  readonly gateway?: string;
  readonly from?: string;
  readonly namespace: string | undefined;
}

export function emitCommand(context: CommandContext): Command {
  return createCommand("emit", "the configuration that Envoy gets; all of it is a file that Envoy accepts")
    .argument("[path...]", "folders or files of manifests; - reads standard input; none with --context")
    .addOption(
      new Option("--type <type>", "all in one document, or the resources of one type as they are sent")
        .choices(["all", "listeners", "routes", "clusters", "endpoints", "secrets"])
        .default("all"),
    )
    .addOption(new Option("--format <format>", "how it is written").choices(["json", "yaml"]).default("yaml"))
    .option("--gateway <namespace/name>", "only what this Gateway's proxy gets")
    .option("--from <namespace/workload>", "only what this workload's sidecar gets")
    .addOption(manifestNamespaceOption())
    .action(async (paths: readonly string[], options: EmitOptions) => {
      const { runEmit } = await import("./run-emit.ts");
      await runEmit(context, paths, options);
    });
}
