import type { Authentication, ExternalJudge, JudgeQuestion } from "../../manifest/release.ts";
import { type ImportedCondition, negateCondition, parseCondition } from "../condition.ts";
import { readDurationMs } from "../duration-text.ts";
import type { InputField } from "../field-ledger.ts";
import { readHeaders } from "../read-headers.ts";
import { readHttpUrl } from "../read-http-url.ts";
import type { TemplateArguments } from "./template-arguments.ts";

interface MetricReading {
  readonly name: string;
  readonly given: TemplateArguments;
  readonly isDryRun: boolean;
}

/** Reads one metric of a template; undefined, with a note, where no judge can ask it. */
export function readMetric(metric: InputField, reading: MetricReading): ExternalJudge | undefined {
  const interval = readDurationMs(metric.get("interval"));
  const given = readCount(metric.get("count"));
  // Without an interval a metric is measured once; with one alone it is measured until somebody stops it.
  const count = given ?? (interval === undefined ? 1 : undefined);
  const failureLimit = readCount(metric.get("failureLimit")) ?? 0;
  const inconclusiveLimit = readCount(metric.get("inconclusiveLimit")) ?? 0;
  const initialDelayMs = readDurationMs(metric.get("initialDelay")) ?? 0;
  const errors = metric.get("consecutiveErrorLimit");
  errors.note(
    "A judge that cannot be reached says nothing, which inconclusiveLimit counts, one after the other or not.",
  );
  // Four errors in a row are passed over by Argo Rollouts; a judge that says nothing at all must not pass.
  const silences = Math.max(inconclusiveLimit, readCount(errors) ?? 4);
  metric.get("consecutiveSuccessLimit").note("A check lasts for its time; it does not end early after some successes.");
  const provider = metric.get("provider");
  const timeoutMs =
    readDurationMs(provider.at("web", "timeoutSeconds")) ??
    readDurationMs(provider.at("prometheus", "timeout")) ??
    10_000;
  const ask = readProvider(metric, reading);
  if (ask === undefined) return undefined;
  return {
    name: judgeName(reading.name),
    intervalMs: Math.max(1000, interval ?? 60_000),
    initialDelayMs,
    count: count === undefined ? undefined : Math.max(1, count),
    failureLimit: Math.max(0, failureLimit),
    inconclusiveLimit: Math.max(0, count === undefined ? silences : Math.min(silences, count - 1)),
    timeoutMs: Math.max(1000, timeoutMs),
    // Argo Rollouts writes "no limit" as -1.
    isDryRun: reading.isDryRun || failureLimit === -1,
    ask,
  };
}

function judgeName(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 60);
  return plain === "" ? "metric" : plain;
}

function readCount(field: InputField): number | undefined {
  const value = field.number();
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && value >= -1 && value <= 1_000_000) return value;
  field.note("It is no count that a check can have, so it is left out.");
  return undefined;
}

function readProvider(metric: InputField, reading: MetricReading): JudgeQuestion | undefined {
  const provider = metric.get("provider");
  const prometheus = provider.get("prometheus");
  const web = provider.get("web");
  if (prometheus.exists) return readPrometheus(prometheus, metric, reading);
  if (web.exists) return readWeb(web, metric, reading);
  for (const name of ["successCondition", "failureCondition"])
    metric.get(name).note("It belongs to a provider without an equal.");
  const job = provider.get("job");
  if (job.exists) {
    job.note(
      "kirikae runs no Job of the cluster; a person is asked instead. A `command` judge can run the same program.",
    );
    return undefined;
  }
  const [kind] = provider.entries().map(([name]) => name);
  (provider.exists ? provider : metric).note(
    kind === undefined
      ? "It names no provider, so it cannot be asked; a person is asked instead."
      : `kirikae asks no ${kind}; a person is asked instead. A \`command\` or \`http\` judge can ask it.`,
  );
  return undefined;
}

function readPrometheus(field: InputField, metric: InputField, { given }: MetricReading): JudgeQuestion | undefined {
  const condition = readCondition(metric, "of all its values");
  const addressField = field.get("address");
  const queryField = field.get("query");
  const address = readFilledUrl(addressField, given);
  const query = given.fill(queryField);
  const { headers, authentication } = readHeaders(field.get("headers"), given);
  const range = readRange(field.get("rangeQuery"));
  const ownAuthentication = readAuthentication(field.get("authentication"), given);
  field.get("timeout").note("A judge's own `timeout` says how long an answer may take; 10 seconds are set.");
  field.get("insecure").note("Certificates are always verified; give the server one that is trusted here.");
  if (!addressField.exists) field.note("It has no address, so it cannot be asked; a person is asked instead.");
  if (condition === undefined || address === undefined || query === undefined) return undefined;
  if (condition.member !== undefined) {
    field.note("The answer of Prometheus has no members to compare; a person is asked instead.");
    return undefined;
  }
  const success = { operator: condition.operator, value: condition.value };
  return {
    kind: "prometheus",
    address,
    query: query.trim(),
    range,
    authentication: ownAuthentication ?? authentication,
    headers,
    success,
  };
}

function readRange(field: InputField): { readonly durationMs: number; readonly stepMs: number } | undefined {
  if (!field.exists) return undefined;
  const ago = (name: string): number | undefined => {
    const text = field.get(name).text() ?? "";
    const parts = /^now\(\)(?:\s*-\s*duration\("([^"]+)"\))?$/u.exec(text);
    if (parts === null) return undefined;
    const whole = /^(\d{1,9})([smhd])$/u.exec(parts[1] ?? "0s");
    const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[whole?.[2] ?? ""];
    return whole === null || unitMs === undefined ? undefined : Number(whole[1]) * unitMs;
  };
  const start = ago("start");
  const end = !field.get("end").exists ? 0 : ago("end");
  const stepMs = readDurationMs(field.get("step")) ?? 60_000;
  if (start !== undefined && end === 0 && start > 0) return { durationMs: start, stepMs: Math.max(1000, stepMs) };
  field.note("Only ranges that end now and begin some time ago are asked, so the value of now is taken instead.");
  return undefined;
}

function readAuthentication(field: InputField, given: TemplateArguments): Authentication | undefined {
  const basic = field.get("basicAuth");
  if (!basic.exists) {
    field.note("This way of proving who asks has no equal; bearer tokens and passwords have one.");
    return undefined;
  }
  const usernameField = basic.get("username");
  const username = given.fill(usernameField);
  basic
    .get("password")
    .note("No secret is copied: put it into the variable PROMETHEUS_PASSWORD of the environment of `up`.");
  for (const [name, other] of field.entries()) {
    if (name !== "basicAuth")
      other.note("This way of proving who asks has no equal; bearer tokens and passwords have one.");
  }
  return username === undefined
    ? undefined
    : { kind: "basic", username, password: { kind: "environment", name: "PROMETHEUS_PASSWORD" } };
}

function readWeb(field: InputField, metric: InputField, { given }: MetricReading): JudgeQuestion | undefined {
  const hasCondition = metric.get("successCondition").exists || metric.get("failureCondition").exists;
  const condition = hasCondition ? readCondition(metric, "of the answer") : undefined;
  const url = readFilledUrl(field.get("url"), given);
  const { headers, authentication } = readHeaders(field.get("headers"), given);
  const method = readMethod(field.get("method"));
  const bodyField = field.get("body");
  const body = given.fill(bodyField);
  field.get("jsonBody").note("Write the JSON as the text of `body`.");
  field.get("timeoutSeconds").note("A judge's own `timeout` says how long an answer may take; 10 seconds are set.");
  field.get("insecure").note("Certificates are always verified; give the server one that is trusted here.");
  field.get("authentication").note("This way of proving who asks has no equal; bearer tokens and passwords have one.");
  const path = readJsonPath(field.get("jsonPath"));
  if (url === undefined || (hasCondition && condition === undefined)) return undefined;
  const fullPath = [path, condition?.member].filter((part) => part !== undefined && part !== "").join(".");
  if (condition !== undefined && fullPath === "") {
    field.note("The answer as a whole is compared, and a judge compares a member of it; a person is asked instead.");
    return undefined;
  }
  const value =
    condition === undefined
      ? undefined
      : { path: fullPath, success: { operator: condition.operator, value: condition.value } };
  return { kind: "http", url, method, headers, body, authentication, value };
}

function readFilledUrl(field: InputField, given: TemplateArguments): string | undefined {
  const text = given.fill(field);
  return text === undefined ? undefined : readHttpUrl(field, text);
}

function readMethod(field: InputField): "GET" | "POST" | "PUT" {
  const method = field.text()?.toUpperCase() ?? "GET";
  if (method === "GET" || method === "POST" || method === "PUT") return method;
  field.note("A judge asks with GET, POST or PUT; GET is taken.");
  return "GET";
}

/** `{$.data.ok}` and `{$.items[0].ok}`; `{$}` is the answer itself. */
function readJsonPath(field: InputField): string | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const inner = /^\{?\$?\.?([\w.[\]-]*)\}?$/u.exec(text.trim())?.[1];
  if (inner !== undefined) return inner.replaceAll(/\[(\d+)\]/gu, ".$1");
  field.note("Only a path of names and numbers, as {$.data.ok}, can be followed.");
  return undefined;
}

/** What has to hold for a yes; undefined, with a note, where that is no simple comparison. */
function readCondition(metric: InputField, subject: string): ImportedCondition | undefined {
  const success = readExpression(metric.get("successCondition"));
  const failure = readExpression(metric.get("failureCondition"));
  if (success === "unreadable" || failure === "unreadable") return undefined;
  const condition = success ?? (failure === undefined ? undefined : negateCondition(failure));
  if (condition === undefined) {
    metric.note(`It has no condition, so any value passes: a judge needs a comparison ${subject}.`);
    return undefined;
  }
  if (success !== undefined && failure !== undefined && !isSame(success, negateCondition(failure))) {
    metric
      .get("failureCondition")
      .note("What is neither a success nor a failure was inconclusive; a judge takes it for a no.");
  }
  if (condition.passesWhenEmpty) {
    const name = success === undefined ? "failureCondition" : "successCondition";
    metric.get(name).note("An answer without values was a yes; a judge takes it for one that says nothing.");
  }
  return condition;
}

function isSame(left: ImportedCondition, right: ImportedCondition): boolean {
  return left.operator === right.operator && left.value === right.value && left.member === right.member;
}

function readExpression(field: InputField): ImportedCondition | "unreadable" | undefined {
  const text = field.text();
  if (text === undefined) return undefined;
  const condition = parseCondition(text.trim());
  if (condition !== undefined) return condition;
  field.note("The expression is more than a comparison with a number; a person is asked instead.");
  return "unreadable";
}
