import {
  createCommand,
  jsonOption,
  namespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface StatusCommandOptions extends JsonOption {
  readonly namespace?: string;
  readonly watch?: true;
}

export function statusCommand(context: CommandContext): Command {
  return createCommand("status", "which version is live, what could be, what releases do, and what the proxies say")
    .argument("[name]", "only this VirtualService, or this release and what it moves")
    .option(...namespaceOption)
    .option("-w, --watch", "keep showing it; in a pipe, a line for each change and each second of traffic")
    .option(...jsonOption)
    .action(async (name: string | undefined, options: StatusCommandOptions) => {
      if (options.watch === true) {
        const { watchStatus } = await import("./watch-status.ts");
        return watchStatus(context, { name, options });
      }
      const { runStatus } = await import("./run-status.ts");
      await runStatus(context, { name, namespace: options.namespace }, options);
    });
}
