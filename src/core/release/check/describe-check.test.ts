import { expect, test } from "vitest";
import { plainCheck } from "../../../../test/check.fixture.ts";
import { describeCheck } from "./describe-check.ts";

test("a check is told with all that it asks for", () => {
  expect(describeCheck({ ...plainCheck, minSuccessPercent: 99, comparesWithLive: true })).toBe(
    "at least 99 % good, not worse than the version before, over 1 min and 20 requests",
  );
  const judge = { name: "errors", isDryRun: true, ask: { kind: "command", command: ["x"] } } as const;
  const rest = { intervalMs: 1, initialDelayMs: 0, count: 1, failureLimit: 0, inconclusiveLimit: 0, timeoutMs: 1 };
  expect(
    describeCheck({
      ...plainCheck,
      initialDelayMs: 30_000,
      latency: [{ percentile: 99, maxMs: 300, maxTimesLive: 1.5 }],
      maxEjections: 0,
      maxDifferentPercent: 1,
      judges: [{ ...judge, ...rest }],
      isDryRun: true,
    }),
  ).toBe(
    "p99 at most 300 ms, p99 at most 1.5 times that of the version before, at most 0 ejections, at most 1 % different " +
      "answers, the yes of errors (command, in a dry run), over 1 min and 20 requests, after 30 s, in a dry run",
  );
});
