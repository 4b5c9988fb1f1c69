import { expect, test } from "vitest";
import { sampleLive, sampleRelease, sampleStartMs } from "../../../test/api/sample-release.ts";
import type { CheckProgress } from "../../core/release/check/check-progress.ts";
import { createInk, plainInk } from "../ink.ts";
import { type ReleaseTreeOptions, renderReleaseTree } from "./release-tree.ts";

const options: ReleaseTreeOptions = {
  ink: plainInk,
  nowMs: sampleStartMs + 300_000,
  columns: 100,
  indent: "",
  service: undefined,
  additions: [],
  extent: "whole",
};

test("a release that holds: steps, weights, traffic, how long, and what was last", () => {
  const text = renderReleaseTree(sampleRelease({ live: sampleLive(10) }), options);
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    Release  sample-ns/to-green to green: holding, step 2 of 4
    ├─ done     1 weight: green 10 %, blue 90 %
    ├─ now      2 hold: for 10 min
    ├─ next     3 approve: 2 people: Do the figures of green look right?
    ├─ next     4 switch: everything to green
    ├─ weights  rule 1 (public) wanted blue 90 %, green 10 %; observed blue 90 %, green 10 %
    ├─ traffic  blue     180 req/s  0.00 % errors   p50 3.1 ms    p99 12 ms
    ├─ traffic  green   20.2 req/s  1.99 % errors   p50 3.4 ms    p99 15 ms
    ├─ status   holds until its time is over, or until it is promoted
    ├─ until    2026-11-21T10:10:00Z, 5 min left
    └─ last     4 min 59 s ago: weights moved and proved"
  `);
});

test("goes on under where it began in a narrow terminal, and loses nothing", () => {
  const text = renderReleaseTree(sampleRelease({ live: sampleLive(10) }), { ...options, indent: "  ", columns: 48 });
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
      Release  sample-ns/to-green to green:
      │  holding, step 2 of 4
      ├─ done     1 weight: green 10 %, blue 90 %
      ├─ now      2 hold: for 10 min
      ├─ next     3 approve: 2 people: Do the
      │           figures of green look right?
      ├─ next     4 switch: everything to green
      ├─ weights  rule 1 (public) wanted blue 90 %,
      │           green 10 %; observed blue 90 %,
      │           green 10 %
      ├─ traffic  blue     180 req/s  0.00 % errors
      │           p50 3.1 ms    p99 12 ms
      ├─ traffic  green   20.2 req/s  1.99 % errors
      │           p50 3.4 ms    p99 15 ms
      ├─ status   holds until its time is over, or
      │           until it is promoted
      ├─ until    2026-11-21T10:10:00Z, 5 min left
      └─ last     4 min 59 s ago: weights moved and
                  proved"
  `);
  expect(
    Math.max(
      ...text
        .split("\n")
        .slice(1)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(48);
});

test("a difference between what is wanted and observed is shouted, unless weights are on their way", () => {
  const painted = createInk(true);
  const shout = renderReleaseTree(sampleRelease({ live: sampleLive(50) }), {
    ...options,
    ink: painted,
    columns: 120,
  });
  expect(shout).toContain(
    painted.red(
      painted.bold("NOT AS WANTED: rule 1 (public) wanted blue 90 %, green 10 %; observed blue 50 %, green 50 %"),
    ),
  );
  const moving = renderReleaseTree(sampleRelease({ live: sampleLive(50), phase: "moving" }), options);
  expect(moving).not.toContain("NOT AS WANTED");
  const [rule] = sampleLive(10).rules;
  if (rule === undefined) throw new Error("the sample has a rule");
  const unseen = { ...sampleLive(10), rules: [{ ...rule, observed: null, isAsWanted: null }] };
  expect(renderReleaseTree(sampleRelease({ live: unseen }), options)).toContain("the proxies could not be asked");
});

/** Copies of so many percent of the requests. */
function owned(release: string, percent: number): ReleaseTreeOptions["additions"][number] {
  return { release, addition: { kind: "mirror", percent, methods: ["GET"], to: {} } };
}

test("what the release has added to the routes, and not what another has", () => {
  const additions = [owned("sample-ns/to-green", 5), owned("shop/other", 7)];
  const text = renderReleaseTree(sampleRelease(), { ...options, additions });
  expect(text).toMatch(/├─ added +copies 5 % of GET requests/u);
  expect(text).not.toContain("7 %");
});

test("who has said yes, until when it counts, who is missing and who cannot", () => {
  const release = sampleRelease({
    phase: "awaiting",
    step: 3,
    message: "waits for 1 of 2 approvals",
    untilMs: sampleStartMs + 900_000,
    limitMs: sampleStartMs + 7_500_000,
    approval: {
      people: 2,
      question: null,
      notBy: "ann",
      given: [{ actor: "bob", atMs: sampleStartMs + 200_000, reason: "looks good", untilMs: sampleStartMs + 900_000 }],
    },
  });
  const text = renderReleaseTree(release, options).split("\n").slice(5).join("\n");
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    ├─ status   waits for 1 of 2 approvals
    ├─ yes      bob: looks good, counts for another 10 min
    ├─ missing  1 of 2, and not ann, who started it
    ├─ until    2026-11-21T10:15:00Z, 10 min left
    ├─ limit    has to end by 2026-11-21T12:05:00Z, 2 h left
    └─ last     4 min 59 s ago: weights moved and proved"
  `);
});

test("the figures of a check that runs, and what each judge has said", () => {
  const check: CheckProgress = {
    fromMs: sampleStartMs + 280_000,
    untilMs: sampleStartMs + 340_000,
    isDryRun: false,
    fresh: {
      requests: 400,
      errors: 3,
      latency: [
        { percentile: 50, ms: 3.4 },
        { percentile: 99, ms: 41 },
      ],
      ejections: 1,
    },
    live: { requests: 3_600, errors: 0, latency: [], ejections: null },
    answers: { compared: 120, different: 2 },
    judges: [
      {
        name: "error-rate",
        kind: "prometheus",
        isDryRun: true,
        verdict: "fail",
        asked: 3,
        passed: 1,
        failed: 2,
        inconclusive: 0,
        detail: "0.02 is not < 0.01",
      },
      {
        name: "smoke",
        kind: "command",
        isDryRun: false,
        verdict: undefined,
        asked: 0,
        passed: 0,
        failed: 0,
        inconclusive: 0,
        detail: undefined,
      },
    ],
  };
  const release = sampleRelease({ phase: "checking", message: "checking", check });
  const rows = renderReleaseTree(release, options)
    .split("\n")
    .filter((line) => /check|judge/u.test(line));
  expect(`\n${rows.join("\n")}`).toMatchInlineSnapshot(`
    "
    Release  sample-ns/to-green to green: checking, step 2 of 4
    ├─ check  20 s of 1 min
    ├─ check  green: 400 requests, 3 errors (0.75 %), p50 3.4 ms, p99 41 ms, 1 ejection
    ├─ check  the version before: 3600 requests, 0 errors (0.00 %)
    ├─ check  copied requests: 2 of 120 answers differ
    ├─ judge  error-rate (prometheus, dry run) failed, asked 3 times: 1 yes, 2 no, 0 unknown; last: 0.02
    ├─ judge  smoke (command) is being asked, asked 0 times: 0 yes, 0 no, 0 unknown"
  `);
});

test("under a second service only what that one has of it", () => {
  const release = sampleRelease({ live: sampleLive(10) });
  const text = renderReleaseTree(release, { ...options, extent: "share", service: "sample-ns/sample-app" });
  expect(text).not.toContain("hold:");
  expect(text).toContain("weights");
  expect(renderReleaseTree(release, { ...options, extent: "share", service: "sample-ns/other" })).not.toContain("\n");
});
