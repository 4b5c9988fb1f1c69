import { describe, expect, test } from "vitest";
import { plainCheck } from "../../test/check.fixture.ts";
import type { Check, ExternalJudge } from "../core/manifest/release.ts";
import type { CheckProgress, JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { AskJudge, Clock } from "./ports.ts";
import { type CheckOutcome, runCheck } from "./release-check.ts";

const plan = {
  release: "shop/r",
  to: "green",
  steps: [
    {
      kind: "weight",
      moves: [
        {
          from: "blue",
          to: "green",
          versions: [{ name: "green", destinations: ["outbound|80|green|app.shop.svc.cluster.local"] }],
          changes: [],
        },
      ],
    },
  ],
} as unknown as ReleasePlan;

const judge: ExternalJudge = {
  name: "errors",
  intervalMs: 10_000,
  initialDelayMs: 0,
  count: undefined,
  failureLimit: 0,
  inconclusiveLimit: 0,
  timeoutMs: 1_000,
  isDryRun: false,
  ask: { kind: "command", command: ["./verify.sh", "{{to}} of {{ host }}, not {{from}}"] },
};

/** Time that passes only while somebody sleeps, once all that can happen meanwhile has happened. */
class SteppedClock implements Clock {
  now = 0;

  nowMs(): number {
    return this.now;
  }

  async sleep(durationMs: number): Promise<void> {
    if (durationMs <= 0) throw new Error("This would go round without an end.");
    await new Promise((resolve) => setImmediate(resolve));
    this.now += durationMs;
  }
}

const yes: JudgeAnswer = { verdict: "pass", detail: "0 is < 1" };
const no: JudgeAnswer = { verdict: "fail", detail: "2 is not < 1" };
const silence: JudgeAnswer = { verdict: "unknown", detail: "the query found nothing" };

interface Run {
  readonly outcome: CheckOutcome | undefined;
  /** When each question was asked, in seconds. */
  readonly asked: readonly number[];
  readonly endS: number;
  readonly progress: readonly CheckProgress[];
}

/** The judges' answers come one after the other, and the last for ever. */
async function run(check: Partial<Check>, ...answers: readonly (JudgeAnswer | Error)[]): Promise<Run> {
  const clock = new SteppedClock();
  const asked: number[] = [];
  const progress: CheckProgress[] = [];
  const ask: AskJudge = async () => {
    asked.push(clock.now / 1_000);
    const answer = answers[Math.min(asked.length, answers.length) - 1] ?? yes;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const outcome = await runCheck({
    plan,
    check: { ...plainCheck, durationMs: 60_000, judges: [judge], ...check },
    sources: { counters: async () => new Map(), ask },
    clock,
    signal: new AbortController().signal,
    onProgress: (now) => progress.push(now),
  });
  return { outcome, asked, endS: clock.now / 1_000, progress };
}

test("a judge without a count is asked until the time is over, at its interval", async () => {
  const { outcome, asked, endS } = await run({});
  expect(asked).toEqual([0, 10, 20, 30, 40, 50]);
  expect(endS).toBe(60);
  expect(outcome).toMatchObject({
    verdict: "pass",
    detail: expect.stringContaining("the judge errors said yes 6 times"),
    results: [
      { kind: "figures", verdict: "pass" },
      { kind: "judge", name: "errors", asked: 6, passed: 6, failed: 0, inconclusive: 0, verdict: "pass" },
    ],
  });
});

test("delays add up, that of the check before that of its judge", async () => {
  const delayed = { ...judge, initialDelayMs: 5_000 };
  const { asked, endS } = await run({ initialDelayMs: 30_000, judges: [delayed], durationMs: 20_000 });
  expect(asked).toEqual([35, 45]);
  expect(endS).toBe(50);
});

test("a judge with a count is asked so often, also beyond the time of the check", async () => {
  const quick = await run({ judges: [{ ...judge, count: 2 }] });
  expect(quick).toMatchObject({ asked: [0, 10], endS: 60, outcome: { verdict: "pass" } });
  const slow = await run({ judges: [{ ...judge, count: 4 }], durationMs: 15_000 });
  expect(slow).toMatchObject({ asked: [0, 10, 20, 30], outcome: { verdict: "pass" } });
  expect(slow.endS).toBeLessThan(32);
});

test("a judge whose delay is longer than the check is asked once all the same", async () => {
  const { asked, outcome } = await run({ judges: [{ ...judge, initialDelayMs: 90_000 }] });
  expect(asked).toEqual([90]);
  expect(outcome).toMatchObject({ verdict: "pass" });
});

describe("limits", () => {
  test("one no beyond the limit ends the check at once", async () => {
    const { outcome, endS } = await run({ judges: [{ ...judge, failureLimit: 1 }] }, yes, no, yes, no);
    expect(outcome).toMatchObject({
      verdict: "fail",
      detail: "the judge errors said no 2 times: 2 is not < 1",
      results: [
        { kind: "figures", verdict: "unknown" },
        { kind: "judge", passed: 2, failed: 2, verdict: "fail" },
      ],
    });
    expect(endS).toBeLessThan(32);
  });

  test("silence within the limit is no matter, where there is a yes", async () => {
    const { outcome } = await run(
      { judges: [{ ...judge, inconclusiveLimit: 4 }] },
      yes,
      silence,
      silence,
      silence,
      yes,
    );
    expect(outcome).toMatchObject({ verdict: "pass", results: [{}, { passed: 3, inconclusive: 3 }] });
  });

  test("silence beyond the limit leaves it to a person at once", async () => {
    const { outcome, endS } = await run({ judges: [{ ...judge, inconclusiveLimit: 1 }] }, silence);
    expect(outcome).toMatchObject({
      verdict: "unknown",
      detail: "the judge errors could not say 2 times: the query found nothing",
    });
    expect(endS).toBeLessThan(12);
  });

  test("silence alone is no yes, whatever the limit", async () => {
    const { outcome, endS } = await run({ judges: [{ ...judge, inconclusiveLimit: 99 }] }, silence);
    expect(outcome).toMatchObject({ verdict: "unknown", detail: expect.stringContaining("never said yes") });
    expect(endS).toBe(60);
  });

  test("what cannot be asked is silence with its reason", async () => {
    const { outcome } = await run({}, new Error("the file token cannot be opened"));
    expect(outcome).toMatchObject({
      verdict: "unknown",
      detail: expect.stringContaining("the file token cannot be opened"),
    });
  });
});

describe("several judges", () => {
  const second: ExternalJudge = { ...judge, name: "smoke", intervalMs: 7_000 };

  test("are asked side by side, each at its own times", async () => {
    const { asked } = await run({ judges: [judge, second], durationMs: 21_000 });
    expect(asked).toEqual([0, 0, 7, 10, 14, 20]);
  });

  test("fail as soon as one does", async () => {
    const { outcome } = await run({ judges: [judge, second] }, yes, no);
    expect(outcome).toMatchObject({ verdict: "fail", detail: expect.stringContaining("smoke said no once") });
  });

  test("one in a dry run says what it thinks, and nothing follows from it", async () => {
    const dry = { ...second, isDryRun: true };
    const { outcome } = await run({ judges: [judge, dry] }, yes, no, yes);
    expect(outcome).toMatchObject({
      verdict: "pass",
      detail: expect.stringMatching(/said yes \d times; in a dry run, the judge smoke said no once: 2 is not < 1$/u),
      results: [{}, { name: "errors", verdict: "pass" }, { name: "smoke", isDryRun: true, verdict: "fail" }],
    });
  });

  test("one in a dry run is not waited for", async () => {
    const dry = { ...second, isDryRun: true, count: 100 };
    const { endS, outcome } = await run({ judges: [judge, dry] });
    expect(endS).toBe(60);
    expect(outcome).toMatchObject({ results: [{}, {}, { verdict: "unknown" }] });
  });
});

test("a check in a dry run lasts its whole time and passes, and says what it would have done", async () => {
  const { outcome, endS } = await run({ isDryRun: true }, no);
  expect(endS).toBe(60);
  expect(outcome).toMatchObject({
    verdict: "pass",
    detail: "it is a dry run, which would have failed: the judge errors said no once: 2 is not < 1",
    results: [{}, { verdict: "fail" }],
  });
});

test("how it goes can be seen while it goes", async () => {
  const { progress } = await run({}, yes, yes, no);
  expect(progress.map(({ judges }) => judges[0]?.asked)).toContain(1);
  expect(progress.at(-1)).toMatchObject({
    fromMs: 0,
    untilMs: 60_000,
    judges: [{ name: "errors", kind: "command", passed: 2, failed: 1, detail: "2 is not < 1", verdict: "fail" }],
  });
});

test("a question is asked with its templates filled, and ends with the check", async () => {
  const stop = new AbortController();
  const questions: unknown[] = [];
  const signals: AbortSignal[] = [];
  const ask: AskJudge = (question, { signal, timeoutMs, values }) => {
    questions.push([question, timeoutMs, values]);
    signals.push(signal);
    return new Promise(() => {});
  };
  const check = { ...plainCheck, judges: [judge] };
  const clock = new SteppedClock();
  const sources = { counters: async () => new Map(), ask };
  const checking = runCheck({ plan, check, sources, clock, signal: stop.signal, onProgress: () => {} });
  while (questions.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await checking).toBeUndefined();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(questions).toEqual([
    [
      { kind: "command", command: ["./verify.sh", "green of app.shop.svc.cluster.local, not blue"] },
      1_000,
      {
        release: "shop/r",
        namespace: "shop",
        name: "r",
        to: "green",
        from: "blue",
        service: "app",
        host: "app.shop.svc.cluster.local",
        duration: "60s",
      },
    ],
  ]);
});
