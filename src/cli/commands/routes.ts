import {
  createCommand,
  jsonOption,
  manifestNamespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";
import { parsePort } from "../parse-port.ts";

export interface RoutesOptions extends JsonOption {
  readonly gateway?: string;
  readonly from?: string;
  readonly host?: string;
  readonly port?: number;
  readonly namespace: string | undefined;
}

export function routesCommand(context: CommandContext): Command {
  return createCommand("routes", "the resolved routes in the order in which they are tried, with file and line")
    .argument("[path...]", "folders or files of manifests; - reads standard input; none with --context")
    .option("--gateway <namespace/name>", "only what this Gateway serves")
    .option("--from <namespace/workload>", "only what this workload's sidecar routes")
    .option("--host <host>", "only the virtual host that takes requests for this host")
    .option("--port <port>", "only listeners of this port", parsePort)
    .addOption(manifestNamespaceOption())
    .option(...jsonOption)
    .action(async (paths: readonly string[], options: RoutesOptions) => {
      const { runRoutes } = await import("./run-routes.ts");
      await runRoutes(context, paths, options);
    });
}
