import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Condition, JudgeQuestion } from "../../src/core/manifest/release.ts";
import type { JudgeAnswer } from "../../src/core/release/check/check-progress.ts";
import { askPrometheus } from "../../src/judges/ask-prometheus.ts";
import { eventually } from "./product.ts";
import { hasPrometheus, Prometheus, prometheusMissing } from "./prometheus.fixture.ts";

type PrometheusQuestion = Extract<JudgeQuestion, { kind: "prometheus" }>;

const metrics = ['errors{version="green"} 0.2', 'errors{version="blue"} 0.001', "nothing NaN", "endless +Inf", ""].join(
  "\n",
);

function below(value: number): Condition {
  return { operator: "<", value };
}

function ask(address: string, query: string, more: Partial<PrometheusQuestion> = {}): Promise<JudgeAnswer> {
  const question: PrometheusQuestion = {
    kind: "prometheus",
    address,
    query,
    range: undefined,
    authentication: undefined,
    headers: {},
    success: below(0.01),
    ...more,
  };
  const signal = new AbortController().signal;
  return askPrometheus(question, { timeoutMs: 2_000, signal, readSecret: async () => "hunter2" });
}

if (!hasPrometheus) console.warn(prometheusMissing);

describe.skipIf(!hasPrometheus)("a real Prometheus", () => {
  let prometheus: Prometheus;
  beforeAll(async () => {
    prometheus = await Prometheus.start({ metrics });
    await eventually("two scrapes", async () =>
      (await prometheus.value("count_over_time(endless[1m])")) === 2 ? true : undefined,
    );
  });
  afterAll(async () => prometheus[Symbol.asyncDispose]());

  test.each([
    ['errors{version="blue"}', "pass", "0.001 is < 0.01"],
    ['errors{version="green"}', "fail", "0.2 is not < 0.01"],
    ["sort(errors)", "fail", "0.2 is not < 0.01 (one of 2 values)"],
    ["errors * 0", "pass", "0 is < 0.01 (one of 2 values)"],
    ["scalar(errors{version='blue'})", "pass", "0.001 is < 0.01"],
    ["0", "pass", "0 is < 0.01"],
    ["endless", "fail", "Infinity is not < 0.01"],
    ["errors{version='red'}", "unknown", "the query found nothing"],
    ["nothing", "unknown", "the query gives NaN"],
    ["errors{version='blue'} / 0 * 0", "unknown", "the query gives NaN"],
    ["'words'", "unknown", "the query gives no plain numbers"],
  ])("%s", async (query, verdict, detail) => {
    expect(await ask(prometheus.address, query)).toEqual({ verdict, detail });
  });

  test("a query that it cannot read says why", async () => {
    expect(await ask(prometheus.address, "sum(")).toEqual({
      verdict: "unknown",
      detail: expect.stringMatching(/^Prometheus answered with status 400: invalid parameter "query": .*parse error/u),
    });
  });

  test("every value of a range has to hold", async () => {
    const range = { durationMs: 5_000, stepMs: 500 };
    expect(await ask(prometheus.address, "errors{version='blue'}", { range })).toMatchObject({
      verdict: "pass",
      detail: expect.stringMatching(/^0\.001 is < 0\.01 \(one of \d+ values\)$/u),
    });
    expect(await ask(prometheus.address, "errors", { range })).toMatchObject({ verdict: "fail" });
    expect(await ask(prometheus.address, "errors{version='red'}", { range })).toMatchObject({ verdict: "unknown" });
  });

  test("its own account of the app's requests judges the app", async () => {
    expect(await ask(prometheus.address, "avg_over_time(up[5s])", { success: { operator: ">=", value: 1 } })).toEqual({
      verdict: "pass",
      detail: "1 is >= 1",
    });
  });

  test("with a password it answers only to who knows it", async () => {
    // `hunter2`, hashed by bcrypt.
    const hash = "$2y$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm";
    await using guarded = await Prometheus.start({ metrics, webConfig: `basic_auth_users: {ann: '${hash}'}\n` });
    expect(await ask(guarded.address, "0")).toEqual({
      verdict: "unknown",
      detail: "Prometheus answered with status 401",
    });
    const password = { kind: "environment", name: "PASSWORD" } as const;
    const authentication = { kind: "basic", username: "ann", password } as const;
    expect(await ask(guarded.address, "0", { authentication })).toMatchObject({ verdict: "pass" });
  });
});

async function answers(body: string): Promise<{ readonly address: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    request.on("data", (chunk: Buffer) =>
      asked.push(`${method} ${url} ${String(headers["x-scope-orgid"])} ${chunk.toString()}`),
    );
    request.on("end", () => response.end(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prometheus/`, asked };
}

describe("a server that speaks its API", () => {
  test("below a path and for one of many tenants is asked there", async () => {
    const { address, asked } = await answers('{"status":"success","data":{"resultType":"vector","result":[]}}');
    await ask(address, 'a{b="c d"}', { headers: { "x-scope-orgid": "shop" } });
    expect(asked).toEqual(["POST /prometheus/api/v1/query shop query=a%7Bb%3D%22c+d%22%7D&timeout=2000ms"]);
  });

  test.each([
    [{ kind: "bearer", token: { kind: "environment", name: "TOKEN" } }, "hunter2"],
    [{ kind: "basic", username: "ann", password: { kind: "environment", name: "TOKEN" } }, "YW5uOmh1bnRlcjI="],
  ] as const)("and sends back what proves who asks is quoted without it", async (authentication, secret) => {
    const refusal = await answers(`{"status":"error","error":"what is ${secret}?"}`);
    expect(await ask(refusal.address, "0", { authentication })).toMatchObject({
      detail: "Prometheus answered with status 200: what is (secret)?",
    });
    const data = '{"resultType":"scalar","result":[1,"0"]}';
    const warning = await answers(`{"status":"success","data":${data},"warnings":["${secret} is old"]}`);
    expect(await ask(warning.address, "0", { authentication })).toMatchObject({
      detail: "0 is < 0.01, with the warning: (secret) is old",
    });
  });

  test("and could ask only some of its stores tells so in the detail", async () => {
    const data = '{"resultType":"scalar","result":[1,"0"]}';
    const { address } = await answers(`{"status":"success","data":${data},"warnings":["store\\n2 is away"]}`);
    expect(await ask(address, "0")).toEqual({
      verdict: "pass",
      detail: "0 is < 0.01, with the warning: store 2 is away",
    });
  });

  test.each([
    [
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}',
      "no plain numbers",
    ],
    ['{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"0x1p"]}]}}', "no plain numbers"],
    ['{"status":"success","data":{"resultType":"vector","result":[null]}}', "no plain numbers"],
    ['{"status":"success"}', "no plain numbers"],
    ["<html>hello</html>", "status 200"],
    ["[]", "status 200"],
    ["null", "status 200"],
  ])("and answers %s has not answered", async (body, detail) => {
    const { address } = await answers(body);
    expect(await ask(address, "0")).toEqual({ verdict: "unknown", detail: expect.stringContaining(detail) });
  });
});
