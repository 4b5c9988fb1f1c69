import type { Check, ExternalJudge, LatencyLimit } from "../../manifest/release.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import type { Importing } from "../import-result.ts";
import { emptyCheck, withOwnNames } from "../release-parts.ts";
import { fillTemplate, readMetricTemplate } from "./metric-template.ts";

/** What Flagger measures once in an interval, as a check of that length. */
export interface ImportedMetrics {
  /** Undefined where there is nothing that could be judged. */
  readonly check: Check | undefined;
  /** Names of what no judge can ask, which a person has to look at instead. */
  readonly unasked: readonly string[];
}

export interface MetricsReading {
  readonly importing: Importing;
  readonly intervalMs: number;
  /** How many failed rounds take a canary back. */
  readonly threshold: number;
  readonly names: Readonly<Record<string, string>>;
}

interface Found {
  readonly minSuccessPercent?: number;
  readonly latency?: LatencyLimit;
  readonly judges?: readonly ExternalJudge[];
  readonly unasked?: string;
}

/** Reads `metrics` of an analysis. */
export function readMetrics(list: InputField, reading: MetricsReading): ImportedMetrics {
  const found = list.items().map((metric) => readMetric(metric, reading));
  const judges = found.flatMap(({ judges: own = [] }) => own);
  const minima = found.flatMap(({ minSuccessPercent }) => minSuccessPercent ?? []);
  const latency = found.flatMap(({ latency: limit }) => limit ?? []);
  const unasked = found.flatMap(({ unasked: name }) => name ?? []);
  const isEmpty = judges.length + minima.length + latency.length === 0;
  const check: Check = {
    ...emptyCheck(reading.intervalMs),
    minSuccessPercent: minima.length === 0 ? undefined : Math.max(...minima),
    latency,
    judges: withOwnNames(judges),
  };
  return { check: isEmpty ? undefined : check, unasked };
}

function readMetric(metric: InputField, reading: MetricsReading): Found {
  const name = metric.get("name").text() ?? "metric";
  const range = readRange(metric);
  const template = metric.get("templateRef");
  const windowMs = readDurationMs(metric.get("interval"));
  if (!template.exists && !metric.get("query").exists) {
    if (windowMs !== undefined && windowMs !== reading.intervalMs) {
      metric.get("interval").note("The proxies' own counters are judged over the whole check.");
    }
    if (name === "request-success-rate") return readSuccessRate(metric, range);
    if (name === "request-duration") return readLatency(metric, range);
    metric.note(
      "It has neither a template nor a query, so it is not known what it measures; a person is asked instead.",
    );
    return { unasked: name };
  }
  const ask = !template.exists ? readInlineQuery(metric, reading) : readMetricTemplate(template, reading.importing);
  if (ask === undefined) return { unasked: name };
  const variables = Object.fromEntries(
    metric
      .get("templateVariables")
      .entries()
      .flatMap(([key, field]) => {
        const value = field.text();
        return value === undefined ? [] : [[`variables.${key}`, value]];
      }),
  );
  const interval = `${Math.max(1, Math.round((windowMs ?? 60_000) / 1000))}s`;
  const query = fillTemplate(ask.query, { ...reading.names, interval, ...variables });
  if (query.kind === "unknown") {
    ask.field.note(
      `The value of ${query.names.join(", ")} in the query is not known, so it cannot be asked; a person is asked instead.`,
    );
    return { unasked: name };
  }
  const { address, headers, authentication } = ask;
  const conditions = [
    ...(range.min === undefined ? [] : [{ operator: ">=" as const, value: range.min }]),
    ...(range.max === undefined ? [] : [{ operator: "<=" as const, value: range.max }]),
  ];
  if (conditions.length === 0) metric.note("It has no threshold, so any value passes and nothing is asked.");
  const judges = conditions.map((success): ExternalJudge => ({
    ...roundsOf(reading),
    name: judgeName(name, conditions.length === 1 ? "" : success.operator === ">=" ? "-min" : "-max"),
    inconclusiveLimit: 3,
    timeoutMs: 10_000,
    isDryRun: false,
    ask: { kind: "prometheus", address, query: query.text, range: undefined, authentication, headers, success },
  }));
  return { judges };
}

/**
 * Flagger asks once in an interval and takes a canary back after so many failed rounds. A judge asks as often within one
 * interval, and fails the check where all say no.
 */
export function roundsOf({
  intervalMs,
  threshold,
}: Pick<MetricsReading, "intervalMs" | "threshold">): Pick<
  ExternalJudge,
  "intervalMs" | "initialDelayMs" | "count" | "failureLimit"
> {
  const rounds = Math.max(1, Math.min(threshold, Math.floor(intervalMs / 1000)));
  return {
    intervalMs: Math.max(1000, Math.floor(intervalMs / rounds / 1000) * 1000),
    initialDelayMs: 0,
    count: rounds,
    failureLimit: rounds - 1,
  };
}

interface Range {
  readonly min: number | undefined;
  readonly max: number | undefined;
}

/** `thresholdRange`, or the deprecated `threshold`, a minimum for the success rate and a maximum for all else. */
function readRange(metric: InputField): Range {
  const range = metric.get("thresholdRange");
  const old = metric.get("threshold").number();
  const min = range.get("min").number();
  const max = range.get("max").number();
  if (min !== undefined || max !== undefined || old === undefined) return { min, max };
  const isRate = metric.get("name").text() === "request-success-rate";
  return isRate ? { min: old, max: undefined } : { min: undefined, max: old };
}

function readSuccessRate(metric: InputField, { min, max }: Range): Found {
  if (max !== undefined) metric.at("thresholdRange", "max").note("A success rate has no upper limit.");
  if (min === undefined || min < 0 || min > 100) {
    metric.note("It has no minimum from 0 to 100 percent, so nothing is asked.");
    return {};
  }
  return { minSuccessPercent: Math.round(min * 100) / 100 };
}

/** Flagger measures the 99th percentile in milliseconds. */
function readLatency(metric: InputField, { min, max }: Range): Found {
  if (min !== undefined) metric.at("thresholdRange", "min").note("Answers cannot be too fast for a check.");
  if (max === undefined || max < 1 || max > 86_400_000) {
    metric.note("It has no maximum in milliseconds, so nothing is asked.");
    return {};
  }
  return { latency: { percentile: 99, maxMs: Math.round(max), maxTimesLive: undefined } };
}

function readInlineQuery(metric: InputField, { importing }: MetricsReading): ReturnType<typeof readMetricTemplate> {
  const field = metric.get("query");
  const server = importing.spec.get("metricsServer").text();
  const query = field.text();
  if (query === undefined) return undefined;
  if (server === undefined) {
    field.note("The address of Prometheus is Flagger's own setting and not in the files; a person is asked instead.");
    return undefined;
  }
  return { address: server, query, headers: {}, authentication: undefined, field };
}

function judgeName(name: string, suffix: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 50);
  return `${plain === "" ? "metric" : plain}${suffix}`;
}
