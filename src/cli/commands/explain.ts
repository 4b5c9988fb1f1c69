import {
  createCommand,
  jsonOption,
  manifestNamespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface ExplainOptions extends JsonOption {
  readonly url?: string;
  readonly tcp?: string;
  readonly from?: string;
  readonly sni?: string;
  readonly tls?: true;
  readonly header: readonly string[];
  readonly method: string;
  readonly namespace: string | undefined;
  readonly live?: true;
  readonly send?: true;
  readonly cert?: string;
  readonly key?: string;
}

export function explainCommand(context: CommandContext): Command {
  return createCommand("explain", "which route takes a request, why, and why the earlier ones did not")
    .argument("[dir...]", "folders or files of manifests; - reads standard input; none with --context")
    .option("--url <url>", "host, the gateway server's port (80 by default) and path, http://sample.hoge.com/")
    .option("--tcp <host:port>", "a connection that carries bytes, in place of --url")
    .option("--from <namespace/workload>", "as this workload's sidecar routes it; else as it reaches a gateway")
    .option("--tls", "the connection of --tcp begins with TLS")
    .option("--sni <name>", "the server name that the TLS client asks for; the host by default")
    .option("-H, --header <header>", "a header, 'name: value'; may be given again", collect, [])
    .option("-X, --method <method>", "the method", "GET")
    .option("--live", "also ask the running Envoy, without a request to an app, and compare")
    .option("--send", "with --live: let Envoy answer what it answers by itself, and open a connection of bytes")
    .option("--cert <file>", "with --live: the client certificate, in PEM, for a server with tls.mode MUTUAL")
    .option("--key <file>", "with --live: its key, in PEM")
    .addOption(manifestNamespaceOption())
    .option(...jsonOption)
    .action(async (paths: readonly string[], options: ExplainOptions) => {
      const { runExplain } = await import("./run-explain.ts");
      await runExplain(context, paths, options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
