import { Option } from "commander";
import {
  createCommand,
  jsonOption,
  namespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export type ReportFormat = "markdown" | "html" | "json";

export interface ReportOptions extends JsonOption {
  readonly namespace?: string;
  readonly format: ReportFormat;
  readonly output?: string;
}

export function reportCommand(context: CommandContext): Command {
  const formats: readonly ReportFormat[] = ["markdown", "html", "json"];
  return createCommand("report", "what a release did, step by step, who met the new version, and how it ended")
    .argument("<name>", "the newest release of this name; it need not have ended, and nothing need run")
    .option(...namespaceOption)
    .addOption(new Option("-f, --format <format>", "how to write it").choices([...formats]).default("markdown"))
    .option("-o, --output <file>", "write it there; - is standard output")
    .option(...jsonOption)
    .action(async (name: string, options: ReportOptions) => {
      const { runReport } = await import("./run-report.ts");
      await runReport(context, name, options);
    });
}
