import type { SuppressedFinding } from "../../core/diagnostics/apply-suppressions.ts";
import type { Diagnostic, DiagnosticLevel } from "../../core/diagnostics/diagnostic.ts";
import type { Suppression } from "../../core/diagnostics/suppression.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { loadChosen } from "../load-live.ts";
import type { LoadedMesh } from "../load-mesh.ts";
import { renderDiagnostics, renderSummary, renderSuppressed } from "../print/diagnostics.ts";
import { buildSarifLog } from "../print/sarif.ts";
import type { CheckOptions } from "./check.ts";

const weightOfLevel: Readonly<Record<DiagnosticLevel, number>> = { error: 2, warning: 1, info: 0 };

/** Reads the manifests and prints what is wrong with them, in the form that was asked for. */
export async function runCheck(
  context: CommandContext,
  paths: readonly string[],
  options: CheckOptions,
): Promise<void> {
  const loaded = await loadChosen(context, paths, { namespace: options.namespace, withProxies: true });
  const answer = {
    exitStatus: isBad(loaded.diagnostics, options.failOn) ? 1 : 0,
    data: options.output === "sarif" ? buildSarifLog(loaded, { version: context.version }) : toJson(loaded, options),
    text: (ink) => {
      const { diagnostics, suppressed, fileCount, from, lines } = loaded;
      const parts = [
        renderDiagnostics(diagnostics, lines, ink),
        options.showSuppressed === true ? renderSuppressed(suppressed, ink) : "",
        renderSummary({ diagnostics, suppressedCount: suppressed.length, fileCount, from }, ink),
      ];
      return parts.filter((part) => part !== "").join("\n");
    },
  } satisfies Parameters<typeof printAnswer>[1];
  printAnswer(context, answer, options.output === "text" ? options : { json: true });
}

function isBad(diagnostics: readonly Diagnostic[], failOn: CheckOptions["failOn"]): boolean {
  return failOn !== "never" && diagnostics.some(({ level }) => weightOfLevel[level] >= weightOfLevel[failOn]);
}

function toJson({ diagnostics, suppressed }: LoadedMesh, options: CheckOptions): readonly unknown[] {
  const silenced: readonly SuppressedFinding[] = options.showSuppressed === true ? suppressed : [];
  return [
    ...diagnostics.map((finding) => findingToJson(finding, undefined)),
    ...silenced.map(({ finding, suppression }) => findingToJson(finding, suppression)),
  ];
}

/** Every key of the contract is there, null where there is nothing to say. */
function findingToJson(finding: Diagnostic, suppression: Suppression | undefined): Readonly<Record<string, unknown>> {
  const { code, level, message } = finding;
  const [istioCode, hint, resource] = [finding.istioCode ?? null, finding.hint ?? null, finding.resource ?? null];
  const silenced = suppression === undefined ? null : { reason: suppression.reason, at: suppression.at };
  return { code, istioCode, level, message, hint, resource, at: finding.at ?? null, suppression: silenced };
}
