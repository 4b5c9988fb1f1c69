import type { ExternalJudge } from "../../manifest/release.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing } from "../import-result.ts";
import type { InputObject } from "../input-object.ts";
import { readMetric } from "./metric.ts";
import { withOwnNames } from "../release-parts.ts";
import { readArguments, type TemplateArguments } from "./template-arguments.ts";

/** What an analysis asks, as far as it can be asked from a Release. */
export interface ImportedAnalysis {
  readonly judges: readonly ExternalJudge[];
  /** Until each judge has been asked as often as it has to be. */
  readonly durationMs: number;
  /** Names of what no judge can ask, which a person has to look at instead. */
  readonly unasked: readonly string[];
}

/** Templates within templates: deeper ones are a loop, or as good as one. */
const maxDepth = 5;

/** Reads a RolloutAnalysis: of a step, in the background, or before or after a promotion. */
export function readAnalysis(field: InputField, importing: Importing): ImportedAnalysis {
  const given = readArguments(field.get("args"), importing.object);
  const dryRun = readDryRun(field.get("dryRun"));
  field.leaveOutFields(["measurementRetention", "analysisRunMetadata"], "it is about the records of analyses");
  const templates = readTemplates(field.get("templates"), { importing, depth: 0 });
  const found = templates.flatMap((template) => readTemplate(template, { given, dryRun, importing }));
  if (templates.length === 0) field.note("It names no template, so nothing is asked.");
  const judges = withOwnNames(found.flatMap(({ judge }) => (judge === undefined ? [] : [judge])));
  return {
    judges,
    durationMs: Math.max(0, ...judges.map(timeOf)),
    unasked: found.flatMap(({ unasked }) => (unasked === undefined ? [] : [unasked])),
  };
}

function timeOf({ initialDelayMs, intervalMs, count }: ExternalJudge): number {
  return initialDelayMs + intervalMs * (count === 1 ? 0 : (count ?? 5));
}

type TemplateFound = { readonly template: InputObject } | { readonly missing: string };

interface TemplateSearch {
  readonly importing: Importing;
  readonly depth: number;
}

function readTemplates(list: InputField, search: TemplateSearch): readonly TemplateFound[] {
  const { importing, depth } = search;
  return list.items().flatMap((item): readonly TemplateFound[] => {
    const name = item.get("templateName").text();
    const isClusterWide = item.get("clusterScope").boolean() === true;
    if (name === undefined) return [];
    const kind = isClusterWide ? "ClusterAnalysisTemplate" : "AnalysisTemplate";
    const template = importing.refer(kind, { namespace: importing.object.namespace, name });
    if (template === undefined || depth >= maxDepth) {
      item.note(
        `The ${kind} ${name} is not in the files that were given, so what it measures is not known; a person is asked instead.`,
      );
      return [{ missing: name }];
    }
    const inner = readTemplates(template.root.at("spec", "templates"), { importing, depth: depth + 1 });
    return [{ template }, ...inner];
  });
}

interface TemplateReading {
  readonly given: TemplateArguments;
  readonly dryRun: readonly RegExp[];
  readonly importing: Importing;
}

interface FoundMetric {
  readonly judge?: ExternalJudge;
  readonly unasked?: string;
}

function readTemplate(found: TemplateFound, reading: TemplateReading): readonly FoundMetric[] {
  if ("missing" in found) return [{ unasked: found.missing }];
  const spec = found.template.root.get("spec");
  spec.leaveOutFields(["measurementRetention"], "it is about the records of analyses");
  const given = readArguments(spec.get("args"), reading.importing.object).under(reading.given);
  const dryRun = [...reading.dryRun, ...readDryRun(spec.get("dryRun"))];
  return spec
    .get("metrics")
    .items()
    .map((metric, index) => {
      const name = metric.get("name").text() ?? `metric-${index + 1}`;
      const isDryRun = dryRun.some((pattern) => pattern.test(name));
      const judge = readMetric(metric, { name, given, isDryRun });
      if (judge !== undefined) return { judge };
      return isDryRun ? {} : { unasked: name };
    });
}

/** Names, or simple patterns such as `.*`; a pattern that JavaScript cannot read is taken for a name. */
function readDryRun(list: InputField): readonly RegExp[] {
  return list.items().flatMap((item) => {
    const name = item.get("metricName").text();
    if (name === undefined) return [];
    if (name === ".*") return [/^/u];
    return [new RegExp(`^${name.replaceAll(/[.*+?^${}()|[\]\\/]/gu, "\\$&").replaceAll("\\.\\*", ".*")}$`, "u")];
  });
}
