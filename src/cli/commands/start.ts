import { personOption } from "./move-options.ts";
import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface StartOptions extends JsonOption {
  readonly release?: string;
  readonly namespace?: string;
  readonly reason?: string;
  readonly as?: string;
}

export function startCommand(context: CommandContext): Command {
  return createCommand(
    "start",
    "start a Release on the running mesh, or on a cluster from here; it goes on by itself until a step waits",
  )
    .argument("<file>", "the file of the Release; - reads standard input")
    .option("--release <namespace/name>", "which Release of the file is meant, where it holds several")
    .option("-n, --namespace <namespace>", "on a cluster from here: where you have rights in single namespaces only")
    .option("--reason <text>", "why, for the history")
    .option(...personOption)
    .option(...jsonOption)
    .action(async (file: string, options: StartOptions) => {
      const { runStart } = await import("./run-start.ts");
      await runStart(context, file, options);
    });
}
