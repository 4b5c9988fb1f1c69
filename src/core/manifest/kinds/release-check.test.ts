import { describe, expect, test } from "vitest";
import { parseManifests } from "../parse-manifests.ts";

/** The check of a release, or what is wrong with it. */
function checkOf(check: string): unknown {
  const text = [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: Release",
    "metadata: {name: to-green, namespace: shop}",
    "spec:",
    "  routes: [{virtualService: web}]",
    "  to: green",
    `  strategy: {steps: [{check: ${check}}]}`,
  ].join("\n");
  const { manifests, diagnostics } = parseManifests([{ path: "release.yaml", text }], { defaultNamespace: "default" });
  if (diagnostics.length > 0) return diagnostics.map(({ message, hint }) => `${message} ${hint ?? ""}`);
  const [manifest] = manifests;
  const strategy = manifest?.kind === "Release" ? manifest.spec.strategy : undefined;
  return strategy?.kind === "steps" ? strategy.steps[0] : undefined;
}

function judge(judge: string): unknown {
  return checkOf(`{duration: 1m, judges: [${judge}]}`);
}

test("a check has defaults for all but its time", () => {
  expect(checkOf("{duration: 1m}")).toEqual({
    kind: "check",
    durationMs: 60_000,
    initialDelayMs: 0,
    minRequests: 20,
    minSuccessPercent: undefined,
    comparesWithLive: true,
    latency: [],
    maxEjections: undefined,
    maxDifferentPercent: undefined,
    judges: [],
    isDryRun: false,
  });
});

test("every field of a check is read", () => {
  const check =
    "{duration: 5m, initialDelay: 30s, minRequests: 100, successRate: {min: 99.5}, compareWithLive: false, " +
    "latency: [{percentile: 99, max: 300ms}, {percentile: 50, timesLive: 1.5}], ejections: {max: 0}, " +
    "differences: {max: 1}, dryRun: true}";
  expect(checkOf(check)).toMatchObject({
    durationMs: 300_000,
    initialDelayMs: 30_000,
    minRequests: 100,
    minSuccessPercent: 99.5,
    comparesWithLive: false,
    latency: [
      { percentile: 99, maxMs: 300, maxTimesLive: undefined },
      { percentile: 50, maxMs: undefined, maxTimesLive: 1.5 },
    ],
    maxEjections: 0,
    maxDifferentPercent: 1,
    isDryRun: true,
  });
});

test("limits of latency have a short form", () => {
  expect(checkOf("{duration: 1m, latency: {p50: 20ms, p99.9: 1s}}")).toMatchObject({
    latency: [
      { percentile: 50, maxMs: 20, maxTimesLive: undefined },
      { percentile: 99.9, maxMs: 1_000, maxTimesLive: undefined },
    ],
  });
});

test("a judge of Prometheus", () => {
  expect(
    judge(
      "{name: errors, interval: 10s, count: 5, initialDelay: 10s, failureLimit: 1, inconclusiveLimit: 2, timeout: 3s, " +
        'prometheus: {address: "http://127.0.0.1:9090", query: \'sum(rate(x{version="{{ to }}"}[1m]))\', ' +
        'range: {duration: 5m, step: 10s}, success: "< 0.01", basicAuth: {username: ann, password: {fromFile: pw}}, ' +
        "headers: {x-scope-orgid: shop}}}",
    ),
  ).toMatchObject({
    judges: [
      {
        name: "errors",
        intervalMs: 10_000,
        initialDelayMs: 10_000,
        count: 5,
        failureLimit: 1,
        inconclusiveLimit: 2,
        timeoutMs: 3_000,
        isDryRun: false,
        ask: {
          kind: "prometheus",
          range: { durationMs: 300_000, stepMs: 10_000 },
          success: { operator: "<", value: 0.01 },
          authentication: { kind: "basic", username: "ann", password: { kind: "file", path: "pw" } },
          headers: { "x-scope-orgid": "shop" },
        },
      },
    ],
  });
});

test("judges by HTTP and by a command", () => {
  expect(
    judge(
      '{name: h, http: {url: "https://judge/{{to}}", method: POST, body: "{}", value: {path: a.0.b, success: ">= 1"}, ' +
        'bearer: {fromEnvironment: TOKEN}}}, {name: c, dryRun: true, command: [./verify.sh, "{{to}}"]}',
    ),
  ).toMatchObject({
    judges: [
      {
        timeoutMs: 5_000,
        failureLimit: 0,
        inconclusiveLimit: 3,
        ask: {
          kind: "http",
          method: "POST",
          value: { path: "a.0.b", success: { operator: ">=", value: 1 } },
          authentication: { kind: "bearer", token: { kind: "environment", name: "TOKEN" } },
        },
      },
      { timeoutMs: 30_000, isDryRun: true, ask: { kind: "command", command: ["./verify.sh", "{{to}}"] } },
    ],
  });
});

describe("what is refused", () => {
  const query = 'query: up, success: "< 1"';
  test.each([
    ["{duration: 1m, compareWithLive: false}", "judges nothing"],
    ["{duration: 1m, latency: []}", "must not be empty"],
    ["{duration: 1m, latency: {}}", "must not be empty"],
    ["{duration: 1m, latency: [{percentile: 99}]}", "sets no limit"],
    ["{duration: 1m, latency: [{percentile: 100, max: 1s}]}", "must be above 0 and at most 99.999"],
    ["{duration: 1m, latency: {fast: 1s}}", "is not named after a percentile"],
    ["{duration: 1m, latency: {p99: 5}}", "must be a duration"],
    ["{duration: 1m, ejections: {max: -1}}", "must not be negative"],
    ["{duration: 1m, judges: [{name: a}]}", "asks nobody"],
    ['{duration: 1m, judges: [{name: a, command: [x], http: {url: "http://x"}}]}', "asks several at once"],
    ["{duration: 1m, judges: [{name: a, command: [x]}, {name: a, command: [x]}]}", "names two judges a"],
    ["{duration: 1m, judges: [{name: a, command: []}]}", "must not be empty"],
    ["{duration: 1m, judges: [{name: a, command: [x], interval: 1ms}]}", "must be at least 100ms"],
    [
      '{duration: 1m, judges: [{name: a, command: [x, "{{too}}"]}]}',
      "none of {{release}}, {{namespace}}, {{name}}, {{to}}",
    ],
    ['{duration: 1m, judges: [{name: a, command: [x, "{{too}}"]}]}', 'Did you mean "to"?'],
    [`{duration: 1m, judges: [{name: a, prometheus: {address: "localhost:9090", ${query}}}]}`, "absolute address"],
    [`{duration: 1m, judges: [{name: a, prometheus: {address: "http://p/?a=b", ${query}}}]}`, "must end before any ?"],
    ['{duration: 1m, judges: [{name: a, prometheus: {address: "http://p", query: up, success: "0.01"}}]}', '"< 0.01"'],
    [
      `{duration: 1m, judges: [{name: a, prometheus: {address: "http://p", ${query}, range: {duration: 100h, step: 1s}}}]}`,
      "more than 11000 points",
    ],
    ['{duration: 1m, judges: [{name: a, http: {url: "http://x", body: hi}}]}', "sends a body by GET"],
    ['{duration: 1m, judges: [{name: a, http: {url: "http://x", bearer: {}}}]}', "says nowhere to read from"],
    ['{duration: 1m, judges: [{name: a, http: {url: "http://x", bearer: {fromEnvironment: $TOKEN}}}]}', "no $"],
  ])("%s", (check, expected) => {
    expect(String(checkOf(check))).toContain(expected);
  });

  test.each([
    'http: {url: "http://ann:hunter2@x"}',
    'http: {url: "http://x", bearer: hunter2}',
    'http: {url: "http://x", headers: {Authorization: hunter2}}',
    'http: {url: "http://x", headers: {X-Api-Key: hunter2}}',
    'http: {url: "http://x", basicAuth: {username: ann, password: hunter2}}',
  ])("%s, without showing the secret", (ask) => {
    const found = String(judge(`{name: a, ${ask}}`));
    expect(found).toMatch(/fromFile|fromEnvironment/u);
    expect(found).not.toContain("hunter2");
  });
});
