import { Option } from "commander";
import type { DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import {
  createCommand,
  jsonOption,
  manifestNamespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface CheckOptions extends JsonOption {
  readonly failOn: DiagnosticLevel | "never";
  readonly namespace: string | undefined;
  readonly output: "text" | "json" | "sarif";
  readonly showSuppressed?: true;
  readonly explain?: string;
}

export function checkCommand(context: CommandContext): Command {
  return createCommand("check", "read manifests and say what is wrong with them, with file, line and column")
    .argument("[path...]", "folders or files; - reads standard input; none with --context")
    .addOption(manifestNamespaceOption())
    .addOption(
      new Option("--fail-on <level>", "the least level that makes the answer no")
        .choices(["error", "warning", "info", "never"])
        .default("error"),
    )
    .addOption(
      new Option("-o, --output <form>", "how findings are printed; sarif is for code scanning")
        .choices(["text", "json", "sarif"])
        .default("text"),
    )
    .option("--show-suppressed", "also print what kirikae.dev/ignore annotations silence")
    .option("--explain <code>", "say what a code means, KIR1030 or Istio's IST0173, and read no manifest")
    .option(...jsonOption)
    .action(async (paths: readonly string[], options: CheckOptions) => {
      if (options.explain !== undefined) {
        const { explainCode } = await import("./explain-code.ts");
        explainCode(context, options.explain, options);
        return;
      }
      const { runCheck } = await import("./run-check.ts");
      await runCheck(context, paths, options);
    });
}
