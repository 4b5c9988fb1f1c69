import { array, assert, constantFrom, integer, property, record, tuple } from "fast-check";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  approve,
  check,
  planSteps,
  ReleaseStory,
  recordMove,
  startMs,
  tellOfBadCanary,
  type Told,
} from "../../../../test/report.fixture.ts";
import type { MirrorReport } from "../mirror/mirror-report.ts";
import type { Answers, Counted, ReleaseReport } from "./release-report.ts";
import { escapeHtml } from "./escape-html.ts";
import { escapeMarkdown, renderMarkdown } from "./render-markdown.ts";
import { renderHtml } from "./render-html.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../../../testdata/reports/${name}`, import.meta.url));

const mirror: MirrorReport = {
  copied: 1_200,
  compared: 1_000,
  same: 990,
  different: 10,
  differentIn: { status: 3, header: 0, body: 7 },
  sentOnce: 180,
  tooLong: 0,
  dropped: 20,
  timeouts: { live: 0, fresh: 2 },
  unasked: 0,
  latency: {
    live: { count: 1_000, p50Ms: 3, p90Ms: 9, p99Ms: 20 },
    fresh: { count: 1_000, p50Ms: 4, p90Ms: 12, p99Ms: 45 },
  },
  examples: [
    {
      method: "GET",
      path: "/items/*",
      liveStatus: 200,
      freshStatus: 200,
      differences: [
        { kind: "body", field: "price" },
        { kind: "header", name: "etag" },
      ],
    },
  ],
  sizing: {
    fromMs: startMs,
    spanMs: 4_000,
    windowMs: 1_000,
    paths: [
      { path: "/items/*", requests: 1_200, averagePerSecond: 300, peakPerSecond: 400, perSecond: [100, 300, 400, 400] },
    ],
    others: null,
  },
};

/** One that still runs, was paused, lost a proxy, and copies requests. */
function tellOfRunning(): ReleaseStory {
  const story = new ReleaseStory(
    planSteps([{ kind: "weight", shares: 10 }, { kind: "hold", durationMs: undefined }, approve]),
  );
  story.tell({ kind: "start" });
  story.pass(1, { blue: [40, 0] });
  story.moves.set("m3", recordMove(story.atMs - 500, { blue: 30, green: 2 }));
  story.tell({ kind: "moved", failed: 0, move: "m3" });
  story.pass(2, { blue: [40, 1], green: [4, 0] });
  story.tell({ kind: "pause", actor: "ann", reason: null });
  story.restart().pass(2, { blue: [40, 0], green: [4, 0] });
  return story;
}

/** Rolls back in the last of these steps; weights are back after 20 ms, and everything after a second. */
function takeBackAfter(steps: Parameters<typeof planSteps>[0]): ReleaseReport["takenBack"] {
  const story = new ReleaseStory(planSteps(steps));
  story.tell({ kind: "start" });
  for (let done = 1; done < steps.length; done += 1) story.tell({ kind: "moved", failed: 0 });
  story.tell({ kind: "rollback", actor: "ann", reason: null });
  story.moves.set("m9", recordMove(story.atMs + 20, { blue: 9 }));
  story.pass(1, { blue: [9, 0] });
  story.tell({ kind: "moved", failed: 0, move: "m9" });
  return story.report().takenBack;
}

describe("a report", () => {
  const report = tellOfBadCanary().report();

  test("says how many met the new version, how many of them failed, and how soon all were back", () => {
    expect(report).toMatchObject({
      phase: "rolledBack",
      from: "blue",
      newVersion: { names: ["green"], requests: 740, ok: 676, failed: 64 },
      counted: { isComplete: true },
      takenBack: { decisionToBackMs: 10, firstError: { withinMs: 1_000, toBackMs: 3_010 } },
    });
    expect(report.steps.map(({ state }) => state)).toEqual(["undone", "undone", "undone", "undone", "undone", "next"]);
    expect(report.detours).toMatchObject([{ kind: "back", actor: "kirikae", counted: { failed: 4 } }]);
  });

  test("has not all traffic back before those who saw a preview are back too", () => {
    const mark = { headers: { "x-staff": { kind: "exact", value: "1" } as const }, cookies: {}, queryParams: {} };
    const preview = { kind: "preview", name: "staff", match: [mark] } as const;
    const weight = { kind: "weight", shares: 10 } as const;
    const hold = { kind: "hold", durationMs: undefined } as const;
    expect(takeBackAfter([weight, hold])).toMatchObject({ decisionToBackMs: 20 });
    expect(takeBackAfter([preview, weight, hold, { kind: "finish" }])).toMatchObject({ decisionToBackMs: 1_000 });
    expect(takeBackAfter([preview, weight, { kind: "finish" }, hold])).toMatchObject({ decisionToBackMs: 20 });
  });

  test("links each step to what the journal has of its move", () => {
    expect(report.steps[3]?.moves).toMatchObject([{ id: "m8", callToProofMs: 2.5, ledger: { requests: 100 } }]);
    expect(report.steps[2]?.approvals).toMatchObject([{ actor: "bob", answer: "approve" }]);
  });

  test("of one that runs says what is known by now, and where answers are missing", () => {
    const running = tellOfRunning().report({ mirror });
    expect(running).toMatchObject({ phase: "paused", endedAt: null, takenBack: null, counted: { isComplete: false } });
    expect(running.steps[1]).toMatchObject({ endedAt: null, tookMs: 5_000, counted: { isComplete: false, failed: 2 } });
    expect(running.steps[0]?.counted.isComplete).toBe(true);
  });

  test("goes back and forth with a release", () => {
    const story = tellOfBadCanary();
    story.pass(60, { blue: [100, 0] });
    expect(story.tell({ kind: "rollback", actor: "ann", reason: "it was the judge" })).toBe(true);
    story.pass(1, { blue: [100, 0] });
    const [back, again] = story.report().detours;
    expect(back?.endedAt).not.toBeNull();
    expect(again).toMatchObject({ kind: "again", actor: "ann", reason: "it was the judge", endedAt: null });
    // What was answered while it was over is nobody's.
    expect(story.report().counted.requests - report.counted.requests).toBe(100);
  });

  test.each([
    ["rolled-back", () => report],
    ["running", () => tellOfRunning().report({ mirror })],
  ])("reads as %s", async (name, build) => {
    const built = build();
    await expect(`${JSON.stringify(built, undefined, 2)}\n`).toMatchFileSnapshot(golden(`${name}.json`));
    await expect(`${renderMarkdown(built)}\n`).toMatchFileSnapshot(golden(`${name}.md`));
    await expect(renderHtml(built)).toMatchFileSnapshot(golden(`${name}.html`));
  });
});

const events: readonly Told[] = [
  { kind: "moved", failed: 0 },
  { kind: "moveFailed", reason: "no proof" },
  { kind: "timeUp" },
  { kind: "judged", verdict: "pass", detail: "good" },
  { kind: "judged", verdict: "fail", detail: "bad" },
  { kind: "turned", was: {}, gives: {} },
  { kind: "approve", actor: "bob", reason: null },
  { kind: "pause", actor: "ann", reason: null },
  { kind: "resume", actor: "ann", reason: null },
  { kind: "retry", actor: "ann", reason: null },
  { kind: "abort", actor: "ann", reason: null },
  { kind: "rollback", actor: "ann", reason: null },
];
const perSecond = tuple(integer({ min: 0, max: 50 }), integer({ min: 0, max: 5 })).map(
  ([requests, bad]) => [requests + bad, bad] as const,
);
const moment = record({
  seconds: integer({ min: 0, max: 5 }),
  blue: perSecond,
  green: perSecond,
  event: constantFrom(...events),
});

function add(one: Answers, other: Answers): Answers {
  return { requests: one.requests + other.requests, ok: one.ok + other.ok, failed: one.failed + other.failed };
}

const none: Answers = { requests: 0, ok: 0, failed: 0 };

function expectConsistent(counted: Counted): void {
  expect(counted.requests).toBe(counted.ok + counted.failed);
  const { requests, ok, failed } = counted;
  expect(Object.values(counted.byVersion).reduce(add, none)).toEqual({ requests, ok, failed });
}

test("whatever happens, the sums of a report agree with each other", () => {
  const steps = [
    { kind: "weight", shares: 10 },
    check,
    approve,
    { kind: "hold", durationMs: 5_000 },
    { kind: "switch" },
  ] as const;
  assert(
    property(array(moment, { maxLength: 40 }), (moments) => {
      const story = new ReleaseStory(planSteps(steps));
      story.tell({ kind: "start" });
      for (const { seconds, blue, green, event } of moments) {
        story.pass(seconds, { blue, green });
        story.tell(event);
      }
      const report = story.report();
      const stages = [...report.steps, ...report.detours].map(({ counted }) => counted);
      for (const counted of [report.counted, ...stages]) expectConsistent(counted);
      const { requests, ok, failed } = report.counted;
      expect(stages.reduce(add, none)).toEqual({ requests, ok, failed });
      const seen = report.points.flatMap(({ byVersion }) => Object.values(byVersion));
      expect(seen.reduce((sum, each) => sum + each.requests, 0)).toBe(requests);
      expect(seen.reduce((sum, each) => sum + each.failed, 0)).toBe(failed);
      expect(report.newVersion.requests).toBe(report.counted.byVersion["green"]?.requests ?? 0);
      expect(renderHtml(report)).not.toMatch(/NaN|undefined|Infinity/u);
      expect(renderMarkdown(report)).not.toMatch(/NaN|undefined|Infinity/u);
    }),
    { numRuns: 300 },
  );
});

const hostile = `</td></title></style><script>alert(1)</script><img src=x onerror="a()">' | \`x\` **b** [l](javascript:a) \u202E\u0007
# heading
https://evil.example`;

/** Words of kirikae's own, and times. */
const ownKeys = new Set([
  "phase",
  "kind",
  "verdict",
  "state",
  "answer",
  "at",
  "startedAt",
  "endedAt",
  "madeAt",
  "provedAt",
  "decidedAt",
  "backAt",
  "after",
]);

/** Each string of the report that somebody else may have written, and each name that is a key. */
function poison(value: unknown, key = ""): unknown {
  if (typeof value === "string") return ownKeys.has(key) ? value : hostile;
  if (Array.isArray(value)) return value.map((each) => poison(each));
  if (typeof value !== "object" || value === null) return value;
  const isByName = ["byVersion", "failedByVersion", "before", "after"].includes(key);
  const entries = Object.entries(value).map(([name, each], index) => [
    isByName ? `${hostile}${index}` : name,
    poison(each, isByName ? "" : name),
  ]);
  return Object.fromEntries(entries);
}

describe("names and reasons that would be more than text", () => {
  const report = tellOfBadCanary().report({ mirror });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape is kept.
  const poisoned = poison({ ...report, steps: [...report.steps, ...tellOfRunning().report().steps] }) as ReleaseReport;

  test("are text in a page", () => {
    const page = renderHtml(poisoned);
    const tags = new Set([...page.matchAll(/<\/?([a-z0-9!]+)/giu)].map(([, tag]) => tag));
    const own = new Set([...renderHtml(report).matchAll(/<\/?([a-z0-9!]+)/giu)].map(([, tag]) => tag));
    expect([...tags].filter((tag) => !own.has(tag))).toEqual([]);
    expect(page).not.toMatch(/<script|<img|onerror="|\u202E/u);
    expect(page.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(page.match(/<style>/gu)).toHaveLength(1);
    // Whatever stands in an attribute stays in it.
    for (const [tag] of page.matchAll(/<[a-z][^>]*>/giu))
      expect(tag.replaceAll(/="[^"]*"/gu, "")).not.toMatch(/["'=]/u);
  });

  test("are text in Markdown", () => {
    const text = renderMarkdown(poisoned);
    expect(text).not.toMatch(/(?<!\\)<(?:script|img|\/)/u);
    expect(text).not.toMatch(/(?<!\\)\[l|(?<!\\)\*b|(?<!\\)`|^# heading|\u202E/mu);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(text).not.toMatch(/https:/u);
    const tables = text.split("\n").filter((line) => line.startsWith("|"));
    for (const line of tables) expect(line.replaceAll(/\\\|/gu, "")).toMatch(/^\|(?: [^|]* \|)+$/u);
  });

  test("keep what they say", () => {
    expect(escapeHtml(`a<b & "c"`)).toBe("a&lt;b &amp; &quot;c&quot;");
    expect(escapeMarkdown("- a|b_c\nd")).toBe("\\- a\\|b\\_c d");
    expect(escapeMarkdown("1. http://x www.y")).toBe("1\\. http\\://x www\\.y");
    expect(escapeMarkdown("took 4.5 s")).toBe("took 4.5 s");
  });
});

test("a page loads nothing and runs nothing", () => {
  const page = renderHtml(tellOfBadCanary().report());
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|href=|url\(|@import|https?:/u);
});
