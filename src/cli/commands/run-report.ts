import { writeFile } from "node:fs/promises";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ReleaseReport } from "../../core/release/report/release-report.ts";
import { renderHtml } from "../../core/release/report/render-html.ts";
import { renderMarkdown } from "../../core/release/report/render-markdown.ts";
import type { ReleaseName } from "../../core/release/describe/find-release.ts";
import { findClusterRelease, isSucceeded, orFromCluster } from "../cluster-releases.ts";
import type { CommandContext } from "../command.ts";
import { renderJson } from "../neutralise.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import { readReport } from "../read-report.ts";
import type { ReportFormat, ReportOptions } from "./report.ts";

export async function runReport(context: CommandContext, name: string, options: ReportOptions): Promise<void> {
  const wanted = { name, namespace: options.namespace };
  const report = await orFromCluster(() => readReport(meshEnvironment(context), wanted), {
    // Where nothing was ever moved from here there is no journal.
    unknown: ["KIR2035", "KIR2023"],
    isPast: (own) => isSucceeded(context, own),
    ask: () => reportFromCluster(context, wanted),
  });
  const text = render(report, options.json === true ? "json" : options.format);
  const { output = "-" } = options;
  if (output === "-") context.terminal.answer(text.trimEnd());
  else {
    await write(output, text);
    context.terminal.note(`The report of ${report.release} is in ${output}.`);
  }
  context.finish(0);
}

async function reportFromCluster(context: CommandContext, name: ReleaseName): Promise<ReleaseReport | undefined> {
  return (await findClusterRelease(context, name))?.story?.report(Date.now());
}

function render(report: ReleaseReport, format: ReportFormat): string {
  switch (format) {
    case "markdown":
      return `${renderMarkdown(report)}\n`;
    case "html":
      return renderHtml(report);
    case "json":
      return `${renderJson(report, 2)}\n`;
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new KirikaeError("KIR5064", `The report cannot be written to ${file}: ${error.message}.`, {
      exitStatus: 3,
      hint: "Name a file in a folder that exists and that you may write to.",
      cause: error,
    });
  }
}
