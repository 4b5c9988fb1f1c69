import { expect, test } from "vitest";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { AccessLogEntry } from "../../xds/access-log-entry.ts";
import { LedgerCounter } from "./ledger-counter.ts";

const plan: MovePlan = {
  verb: "switch",
  virtualService: "ns/app",
  from: "blue",
  to: "green",
  changes: [
    {
      split: "public",
      rule: 1,
      ruleName: undefined,
      role: "public",
      declared: { b: 100, g: 0 },
      before: { b: 100, g: 0 },
      after: { b: 0, g: 100 },
    },
    {
      split: "preview",
      rule: 0,
      ruleName: undefined,
      role: "preview",
      declared: { b: 0, g: 100 },
      before: { b: 0, g: 100 },
      after: { b: 100, g: 0 },
    },
  ],
  stays: [],
  versions: [
    { name: "blue", destinations: ["b"] },
    { name: "green", destinations: ["g"] },
  ],
  actor: "test",
  reason: undefined,
};

function entry(over: Partial<AccessLogEntry>): AccessLogEntry {
  return {
    startMs: 0,
    endMs: 1,
    cluster: "b",
    routeName: "public",
    authority: "",
    isProbe: false,
    path: "",
    status: 200,
    flags: [],
    details: "",
    ...over,
  };
}

function count(entries: readonly Partial<AccessLogEntry>[], marks = { call: 100, done: 110 }) {
  const counter = new LedgerCounter(plan, ({ authority }) => authority === "app.test");
  counter.markCall(marks.call);
  counter.markDone(marks.done);
  for (const each of entries) counter.add(entry(each));
  return counter.result(true);
}

test("no traffic is zeros", () => {
  expect(count([])).toEqual({
    requests: 0,
    ok: 0,
    failed: 0,
    byVersion: { blue: 0, green: 0 },
    failedByVersion: { blue: 0, green: 0 },
    lastOldMs: null,
    oldAfterDone: 0,
    clientGone: 0,
    failures: [],
    isComplete: true,
  });
});

test("requests of other routes are not this move's", () => {
  expect(count([{ routeName: "another" }])).toMatchObject({ requests: 0 });
});

test("old answers: those after the call tell when the last ended, those begun after done are against the plan", () => {
  expect(
    count([
      { startMs: 50, endMs: 60 },
      { startMs: 99, endMs: 130 },
      { startMs: 105, endMs: 106 },
      { startMs: 112, endMs: 113 },
      { startMs: 115, endMs: 116, cluster: "g" },
    ]),
  ).toMatchObject({ requests: 5, lastOldMs: 30, oldAfterDone: 1, byVersion: { blue: 4, green: 1 } });
});

test("the preview route reaches the other version after a swap, and that is the plan", () => {
  expect(count([{ startMs: 120, endMs: 121, routeName: "preview" }])).toMatchObject({
    byVersion: { blue: 1 },
    lastOldMs: null,
    oldAfterDone: 0,
  });
  expect(count([{ startMs: 120, endMs: 121, routeName: "preview", cluster: "g" }])).toMatchObject({ oldAfterDone: 1 });
});

test("an answer that ended before the call is no old answer", () => {
  expect(count([{ startMs: 50, endMs: 60 }])).toMatchObject({ lastOldMs: null });
});

test("failures are 5xx, no answer, and answers that broke off; 4xx is the application's business", () => {
  const ledger = count([
    { status: 404 },
    { status: 503, flags: [6], details: "upstream_reset" },
    { status: 200, flags: [7] },
    { status: 0, cluster: "" },
    { status: 500, details: "via_upstream" },
  ]);
  expect(ledger).toMatchObject({ requests: 5, ok: 1, failed: 4, byVersion: { blue: 4, green: 0, other: 1 } });
  expect(ledger.failedByVersion).toEqual({ blue: 3, green: 0, other: 1 });
  expect(ledger.failures).toEqual([
    "503 upstream connection failure (UF) from blue",
    "200 upstream closed the connection (UC) from blue",
    "no answer from no version",
    "500 via_upstream from blue",
  ]);
});

test("requests that found no route though a moved rule was there for them are failures of no version", () => {
  const lost = { routeName: "", cluster: "", authority: "app.test", path: "/", details: "" };
  const ledger = count([
    {},
    { ...lost, status: 404, flags: [9] },
    { ...lost, status: 503, flags: [25] },
    { ...lost, status: 404, flags: [9], authority: "other.test" },
    { ...lost, status: 301 },
    { ...lost, status: 0, flags: [15] },
  ]);
  expect(ledger).toMatchObject({ requests: 3, ok: 1, failed: 2, byVersion: { blue: 1, other: 2 }, clientGone: 0 });
  expect(ledger.failures).toEqual(["404 no route (NR) from no version", "503 no cluster (NC) from no version"]);
});

test("clients that left are counted apart", () => {
  expect(
    count([
      { status: 0, flags: [15] },
      { status: 200, flags: [28] },
    ]),
  ).toMatchObject({
    requests: 0,
    failed: 0,
    clientGone: 2,
  });
});

test("ten failures are told, all are counted", () => {
  const ledger = count(Array.from({ length: 25 }, () => ({ status: 502 })));
  expect(ledger.failed).toBe(25);
  expect(ledger.failures).toHaveLength(10);
});
