import { Option } from "commander";
import type { Diagnostic, DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import {
  createCommand,
  jsonOption,
  printAnswer,
  type Answer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

interface CheckOptions extends JsonOption {
  readonly failOn: DiagnosticLevel;
  readonly namespace: string;
}

const weightOfLevel: Readonly<Record<DiagnosticLevel, number>> = { error: 2, warning: 1, info: 0 };

export function checkCommand(context: CommandContext): Command {
  return createCommand("check", "read manifests and say what is wrong with them, with file, line and column")
    .argument("<dir...>", "folders or files; - reads standard input")
    .option("-n, --namespace <namespace>", "the namespace of manifests that name none", "default")
    .addOption(
      new Option("--fail-on <level>", "the least level that makes the answer no")
        .choices(["error", "warning", "info"])
        .default("error"),
    )
    .option(...jsonOption)
    .action(async (paths: readonly string[], options: CheckOptions) => {
      printAnswer(context, await check(paths, options, context), options);
    });
}

async function check(paths: readonly string[], options: CheckOptions, context: CommandContext): Promise<Answer> {
  const { loadMesh } = await import("../load-mesh.ts");
  const loaded = await loadMesh(paths, { defaultNamespace: options.namespace, input: context.input });
  const diagnostics = loaded.diagnostics;
  const { renderDiagnostics, renderSummary } = await import("../print/diagnostics.ts");
  const isBad = diagnostics.some((finding) => weightOfLevel[finding.level] >= weightOfLevel[options.failOn]);
  return {
    exitStatus: isBad ? 1 : 0,
    data: diagnostics.map(toJson),
    text: (ink) =>
      [renderDiagnostics(diagnostics, loaded.lines, ink), renderSummary(diagnostics, loaded.fileCount, ink)]
        .filter((part) => part !== "")
        .join("\n"),
  };
}

/** Every key of the contract is there, null where there is nothing to say. */
function toJson(finding: Diagnostic): Readonly<Record<string, unknown>> {
  const { code, level, message } = finding;
  const [istioCode, hint, resource] = [finding.istioCode ?? null, finding.hint ?? null, finding.resource ?? null];
  return { code, istioCode, level, message, hint, resource, at: finding.at ?? null };
}
