import { expect, test } from "vitest";
import { bareSpec } from "../../../../test/release-spec.fixture.ts";
import { advanceRelease, unstarted } from "../state/advance-release.ts";
import { findNotices, type ReleaseNotice } from "./find-notices.ts";
import type { PlannedStep, ReleasePlan } from "../plan/plan-release.ts";
import type { ReleaseEvent } from "../state/release-state.ts";

const shift: PlannedStep = { kind: "switch", moves: [] };
const forever: PlannedStep = { kind: "hold", durationMs: undefined };
const yes: PlannedStep = {
  kind: "approve",
  people: 1,
  question: "Go?",
  expiresMs: undefined,
  letsStarterApprove: true,
};

function told(steps: readonly PlannedStep[], ...events: readonly ReleaseEvent[]): readonly ReleaseNotice[] {
  const spec = { ...bareSpec, maxFailed: 0 };
  const plan: ReleasePlan = { release: "shop/r", to: "green", steps, spec };
  let state = unstarted;
  return events.flatMap((event, index) => {
    const advanced = advanceRelease(plan, state, event);
    if (advanced.kind === "notNow") throw new Error(advanced.because);
    const before = state;
    ({ state } = advanced);
    return findNotices({ id: "id", plan, actor: "ann", reason: null, before, after: state, event, count: index + 1 });
  });
}

const start: ReleaseEvent = { kind: "start", atMs: 0, startedBy: "ann" };
const moved: ReleaseEvent = { kind: "moved", atMs: 1_000, failed: 0 };

function person(
  kind: "approve" | "reject" | "pause" | "resume" | "abort" | "rollback" | "retry",
  reason?: string,
): ReleaseEvent {
  return { kind, atMs: 2_000, actor: "bob", reason: reason ?? null };
}

function lines(notices: readonly ReleaseNotice[]): readonly string[] {
  return notices.map(({ event, message }) => `${event}: ${message}`);
}

test("a release that goes well tells of its start, of each step, of whom it waits for, and of its end", () => {
  expect(
    lines(
      told([shift, yes, forever], start, moved, person("approve"), {
        ...person("pause"),
        kind: "promote",
        full: false,
      } as ReleaseEvent),
    ),
  ).toEqual([
    "started: started to green, 3 steps",
    "step: step 1 of 3 is done: switch everything to green",
    "waiting: waits for 1 of 1 approvals: Go?",
    "step: step 2 of 3 is done: approve the yes of one person",
    "waiting: waits to be promoted",
    "step: step 3 of 3 is done: hold until it is promoted",
    "done: done",
  ]);
});

test("what people do is told with their name and reason, under an id that stays", () => {
  const notices = told([yes, shift], start, person("reject", "the errors are new"));
  expect(notices.at(-1)).toEqual({
    version: 1,
    id: "id:2:failed",
    event: "failed",
    at: "1970-01-01T00:00:02.000Z",
    release: "shop/r",
    to: "green",
    phase: "failed",
    step: { number: 1, of: 2, kind: "approve" },
    message: "step 1 failed: rejected by bob: the errors are new; retry, roll back or abort",
    actor: "bob",
    reason: "the errors are new",
  });
});

test("a way back tells of its beginning and its end, and not of each try", () => {
  const failed: ReleaseEvent = { kind: "moveFailed", atMs: 1_500, reason: "no proxy" };
  expect(
    lines(told([shift, forever], start, { ...moved, failed: 3 }, failed, moved)).map((line) => line.slice(0, 40)),
  ).toEqual(
    [
      "started: started to green, 2 steps",
      "rollingBack: being rolled back, because 3 requests fa",
      "rolledBack: rolled back, because 3 requests fai",
    ].map((line) => line.slice(0, 40)),
  );
});

test("pauses and ends that people ask for are told once", () => {
  expect(lines(told([forever, shift], start, person("pause"), person("resume"), person("abort")))).toEqual([
    "started: started to green, 2 steps",
    "waiting: waits to be promoted",
    "paused: paused; resume, promote, roll back or abort",
    "waiting: waits to be promoted",
    "aborted: stopped by bob at step 1; traffic stays where it is",
  ]);
});
