import { describe, expect, test } from "vitest";
import { bareSpec } from "../../../../test/release-spec.fixture.ts";
import { advanceRelease, unstarted } from "../state/advance-release.ts";
import { describeRelease, type ReleaseDescription } from "./describe-release.ts";
import type { MovePlan } from "../move/move.ts";
import type { PlannedStep, ReleasePlan } from "../plan/plan-release.ts";
import type { ReleaseEvent, ReleaseState } from "../state/release-state.ts";

const shift: PlannedStep = { kind: "switch", moves: [] };
const hold: PlannedStep = { kind: "hold", durationMs: 60_000 };
const approve: PlannedStep = {
  kind: "approve",
  people: 2,
  question: "Go?",
  expiresMs: 1_000,
  letsStarterApprove: false,
};
const hour = { durationMs: 3_600_000, action: "rollback" } as const;

function described(steps: readonly PlannedStep[], ...events: readonly ReleaseEvent[]): ReleaseDescription {
  const spec = { ...bareSpec, maxFailed: 0, maxDuration: hour };
  const plan: ReleasePlan = { release: "shop/r", to: "green", steps, spec };
  let state: ReleaseState = unstarted;
  for (const event of events) {
    const advanced = advanceRelease(plan, state, event);
    if (advanced.kind === "notNow") throw new Error(advanced.because);
    ({ state } = advanced);
  }
  return describeRelease(plan, state);
}

const start: ReleaseEvent = { kind: "start", atMs: 0, startedBy: "ann" };
const moved: ReleaseEvent = { kind: "moved", atMs: 10, failed: 0 };

test("whom it waits for, whose yes it has and until when, and when it has taken as long as it may", () => {
  const yes: ReleaseEvent = { kind: "approve", atMs: 5, actor: "bob", reason: "looks good" };
  expect(described([approve, shift], start, yes)).toMatchObject({
    phase: "awaiting",
    message: "waits for 1 of 2 approvals, approved by bob, not of ann, who started it: Go?",
    untilMs: 1_005,
    limitMs: hour.durationMs,
    approval: {
      people: 2,
      question: "Go?",
      notBy: "ann",
      given: [{ actor: "bob", atMs: 5, reason: "looks good", untilMs: 1_005 }],
    },
    steps: [
      { summary: "the yes of 2 people, none of them who started it, which counts for 1 s", state: "now" },
      { state: "next" },
    ],
  });
});

test("a freeze is told with its end and its reason", () => {
  expect(described([shift], { ...start, freeze: { untilMs: 99, reason: "weekend" } })).toMatchObject({
    phase: "frozen",
    step: 1,
    untilMs: 99,
    message: "waits for the end of a freeze: weekend",
    approval: null,
  });
});

describe("after the way back", () => {
  const back: ReleaseEvent = { kind: "rollback", atMs: 20, actor: "bob", reason: null };

  test.each<{ name: string; events: readonly ReleaseEvent[]; states: readonly string[] }>([
    {
      name: "of a step that lost requests",
      events: [start, { ...moved, failed: 1 }],
      states: ["undone", "next", "next"],
    },
    {
      name: "from a pause before a step",
      events: [start, { kind: "pause", atMs: 5, actor: "bob", reason: null }, moved, back],
      states: ["undone", "next", "next"],
    },
    { name: "from a hold", events: [start, moved, back], states: ["undone", "undone", "next"] },
  ])("$name, what had begun is undone and what had not is next", ({ events, states }) => {
    const end = described([shift, hold, shift], ...events, moved);
    expect(end).toMatchObject({ phase: "rolledBack", limitMs: null });
    expect(end.steps.map(({ state }) => state)).toEqual(states);
  });
});

const moveTo = (virtualService: string, blue: number, legacy: number): MovePlan =>
  ({
    virtualService,
    versions: [
      { name: "blue", destinations: ["b"] },
      { name: "green", destinations: ["g"] },
      { name: "legacy", destinations: ["l"] },
    ],
    changes: [{ role: "public", after: { b: blue, g: 100 - blue - legacy, l: legacy } }],
  }) as unknown as MovePlan;

const summaryOf = (...moves: readonly MovePlan[]): string | undefined =>
  described([{ kind: "weight", moves }] as unknown as readonly PlannedStep[]).steps[0]?.summary;

test("services that get other shares in a step are each told by their name", () => {
  expect(summaryOf(moveTo("shop/web", 90, 0), moveTo("shop/api", 90, 0))).toBe("blue 90 %, green 10 %");
  expect(summaryOf(moveTo("shop/web", 81, 10), moveTo("back/api", 90, 0))).toBe(
    "shop/web blue 81 %, green 9 %, legacy 10 %; back/api blue 90 %, green 10 %",
  );
});
