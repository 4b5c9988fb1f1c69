import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface ExplainOptions extends JsonOption {
  readonly url: string;
  readonly header: readonly string[];
  readonly method: string;
  readonly namespace: string;
}

export function explainCommand(context: CommandContext): Command {
  return createCommand("explain", "which route takes a request, why, and why the earlier ones did not")
    .argument("<dir...>", "folders or files of manifests; - reads standard input")
    .requiredOption("--url <url>", "host, the gateway server's port (80 by default) and path, http://sample.hoge.com/")
    .option("-H, --header <header>", "a header, 'name: value'; may be given again", collect, [])
    .option("-X, --method <method>", "the method", "GET")
    .option("-n, --namespace <namespace>", "the namespace of manifests that name none", "default")
    .option(...jsonOption)
    .action(async (paths: readonly string[], options: ExplainOptions) => {
      const { runExplain } = await import("./run-explain.ts");
      await runExplain(context, paths, options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
