import { plainCheck } from "../../../../test/check.fixture.ts";
import { array, assert, constant, constantFrom, oneof, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { advanceRelease, unstarted } from "./advance-release.ts";
import { approvalOf } from "./gather-approvals.ts";
import { pendingEffect } from "../../../engine/pending-effect.ts";
import type { Approval, MaxDuration } from "../../manifest/release.ts";
import { isMoving as isMovingPhase, isOver } from "./release-phase.ts";
import type { PlannedStep } from "../plan/plan-release.ts";
import type {
  ActiveFreeze,
  GivenApproval,
  ReleaseCommand,
  ReleaseEvent,
  ReleaseState,
  StepPlans,
} from "./release-state.ts";

const weight: PlannedStep = { kind: "weight", moves: [] };
const shift: PlannedStep = { kind: "switch", moves: [] };
const minute: PlannedStep = { kind: "hold", durationMs: 60_000 };
const forever: PlannedStep = { kind: "hold", durationMs: undefined };
const twoPeople: PlannedStep = {
  kind: "approve",
  people: 2,
  question: undefined,
  expiresMs: undefined,
  letsStarterApprove: true,
};
const check: PlannedStep = { kind: "check", ...plainCheck, minSuccessPercent: 99 };
const edits = [{ destinationRule: "shop/app", add: [{ name: "green" }], remove: [] }];
const subsets: PlannedStep = { kind: "subsets", does: "add", edits };
const steps = [weight, minute, twoPeople, forever, shift];

type Sketch =
  | ReleaseEvent["kind"]
  | {
      readonly kind: ReleaseCommand["kind"];
      readonly actor?: string;
      readonly full?: true;
      readonly now?: true;
      readonly despiteFreeze?: true;
    };

const verdicts = ["pass", "unknown", "fail"] as const;

/** Every other one is about subsets, of which the state keeps nothing. */
function turnedAt(atMs: number): ReleaseEvent {
  const isOfSubsets = atMs % 2 === 1;
  const was = isOfSubsets ? {} : { public: { blue: 90, green: 10 } };
  return { kind: "turned", atMs, was, gives: {}, ...(isOfSubsets && { subsets: edits }) };
}

function eventOf(sketch: Sketch, atMs: number): ReleaseEvent {
  const {
    kind,
    actor = "ann",
    full = false,
    now,
    despiteFreeze,
  } = typeof sketch === "string" ? { kind: sketch } : sketch;
  if (kind === "start" || kind === "timeUp" || kind === "overdue") return { kind, atMs };
  if (kind === "moved") return { kind, atMs, failed: atMs % 5 };
  if (kind === "moveFailed") return { kind, atMs, reason: "no proof" };
  if (kind === "overruled") return { kind, atMs, reason: "other weights" };
  if (kind === "judged") return { kind, atMs, verdict: verdicts[atMs % 3] ?? "pass", detail: "five of ten failed" };
  if (kind === "turned") return turnedAt(atMs);
  if (kind === "partlyBack") {
    return { kind, atMs, failed: 0, left: {}, waits: [{ version: "blue", ready: 2, wanted: 4, backPercent: 50 }] };
  }
  const command = commandOf(kind, { full, now, despiteFreeze });
  return { ...command, atMs, actor, reason: despiteFreeze === true ? "the shop is down" : null };
}

interface Options {
  readonly full: boolean;
  readonly now: true | undefined;
  readonly despiteFreeze: true | undefined;
}

function commandOf(kind: ReleaseCommand["kind"], { full, now, despiteFreeze }: Options): ReleaseCommand {
  if (kind === "promote") return { kind, full, ...(despiteFreeze === true ? { despiteFreeze } : {}) };
  if (kind === "set") return { kind, shares: 30 };
  return kind === "rollback" && now ? { kind, now } : { kind };
}

/** Takes events a second apart; each has to be possible. */
function run(...sketches: readonly Sketch[]): { state: ReleaseState; effect: unknown } {
  let last: { state: ReleaseState; effect: unknown } = { state: unstarted, effect: undefined };
  for (const [index, sketch] of sketches.entries()) {
    const advanced = advanceRelease(
      { steps, spec: { maxFailed: undefined } },
      last.state,
      eventOf(sketch, index * 1000),
    );
    if (advanced.kind === "notNow") throw new Error(`${JSON.stringify(sketch)}: ${advanced.because}`);
    last = advanced;
  }
  return last;
}

const approvals: readonly Sketch[] = [
  { kind: "approve", actor: "ann" },
  { kind: "approve", actor: "bob" },
];

test("a release goes from step to step and ends", () => {
  expect(run("start")).toMatchObject({
    state: { phase: { kind: "moving", step: 0 } },
    effect: { kind: "moveForward" },
  });
  expect(run("start", "moved")).toMatchObject({
    state: { phase: { kind: "holding", step: 1, untilMs: 61_000 } },
    effect: { kind: "wakeAt", atMs: 61_000 },
  });
  expect(run("start", "moved", "timeUp").state.phase).toEqual({ kind: "awaiting", step: 2, approvals: [] });
  expect(run("start", "moved", "timeUp", ...approvals).state.phase).toEqual({
    kind: "holding",
    step: 3,
    untilMs: null,
  });
  expect(run("start", "moved", "timeUp", ...approvals, "promote", "moved")).toMatchObject({
    kind: "step",
    state: { phase: { kind: "done" }, pausesAfterMove: false, skipsGates: false },
    effect: undefined,
  });
});

describe("people", () => {
  test("one person counts once", () => {
    expect(() => run("start", "moved", "timeUp", "approve", "approve")).toThrow("ann has approved already");
  });

  test("a rejection stops, and a retry asks again", () => {
    expect(run("start", "moved", "timeUp", "approve", "reject").state.phase).toEqual({
      kind: "failed",
      step: 2,
      during: "step",
      reason: "rejected by ann",
    });
    expect(run("start", "moved", "timeUp", "approve", "reject", "retry").state.phase).toMatchObject({ approvals: [] });
  });

  test("an approval is not given by a promotion, a full one neither", () => {
    expect(() => run("start", "moved", "timeUp", "promote")).toThrow("asks for approval");
    expect(() => run("start", "moved", "timeUp", { kind: "promote", full: true })).toThrow("asks for approval");
    expect(run("start", { kind: "promote", full: true }, "moved").state.phase).toMatchObject({ kind: "awaiting" });
    // Of what is left, the hold without an end is passed.
    expect(run("start", { kind: "promote", full: true }, "moved", ...approvals).state.phase).toEqual({
      kind: "moving",
      step: 4,
    });
  });

  test("a pause keeps what was left of a hold", () => {
    expect(run("start", "moved", "pause").state.phase).toEqual({
      kind: "paused",
      step: 1,
      within: { kind: "hold", remainingMs: 59_000 },
    });
    expect(run("start", "moved", "pause", "resume")).toMatchObject({ effect: { kind: "wakeAt", atMs: 62_000 } });
    expect(run("start", "moved", "pause", "promote").state.phase).toMatchObject({ kind: "awaiting", step: 2 });
  });

  test("a pause while weights move takes effect when they have", () => {
    expect(run("start", "pause", "moved").state.phase).toEqual({ kind: "paused", step: 1, within: null });
    expect(run("start", "pause", "moved", "resume").state.phase).toMatchObject({ kind: "holding", step: 1 });
  });

  test("what is over takes no command but a rollback", () => {
    expect(run("start", "moved", "abort").state.phase).toMatchObject({ kind: "aborted", step: 1 });
    expect(() => run("start", "moved", "abort", "resume")).toThrow("it is over: aborted");
    expect(run("start", "moved", "abort", "rollback")).toMatchObject({ effect: { kind: "moveBack", actor: "ann" } });
    expect(run("start", "moved", "rollback", "moved").state.phase).toEqual({ kind: "rolledBack", step: 1 });
    expect(() => run("start", "moved", "rollback", "moved", "abort")).toThrow("it is over: rolled back");
  });

  test("nothing interrupts weights that are being moved", () => {
    expect(() => run("start", "abort")).toThrow("ask again in a moment");
    expect(() => run("start", "rollback")).toThrow("ask again in a moment");
  });
});

test("a step that failed is tried again from its beginning", () => {
  expect(run("start", "moveFailed").state.phase).toEqual({
    kind: "failed",
    step: 0,
    during: "step",
    reason: "no proof",
  });
  expect(run("start", "moveFailed", "retry")).toMatchObject({ effect: { kind: "moveForward", step: 0 } });
  expect(run("start", "moveFailed", "rollback")).toMatchObject({ effect: { kind: "moveBack", step: 0 } });
});

test("a way back that failed is tried again by itself, later each time, and then left to a person", () => {
  expect(run("start", "moved", "rollback", "moveFailed")).toMatchObject({
    state: { phase: { kind: "rollingBack", failures: ["no proof"] } },
    effect: { kind: "moveBack", step: 1, notBeforeMs: 4_000 },
  });
  expect(run("start", "moved", "rollback", "moveFailed", "moveFailed")).toMatchObject({
    effect: { kind: "moveBack", notBeforeMs: 6_000 },
  });
  expect(run("start", "moved", "rollback", "moveFailed", "moved").state.phase).toEqual({ kind: "rolledBack", step: 1 });
});

test("a way back that failed is what a retry tries again, also after the last step", () => {
  const done = ["start", "moved", "timeUp", ...approvals, "promote", "moved"] as const;
  const fourTimes = ["moveFailed", "moveFailed", "moveFailed", "moveFailed"] as const;
  const failed = run(...done, "rollback", ...fourTimes);
  expect(failed.state.phase).toEqual({ kind: "failed", step: 5, during: "wayBack", reason: "no proof" });
  const again = run(...done, "rollback", ...fourTimes, { kind: "retry", actor: "bob" });
  expect(again).toMatchObject({
    state: { phase: { kind: "rollingBack", step: 5 } },
    effect: { kind: "moveBack", step: 5, actor: "bob" },
  });
});

test("a pause keeps the approvals that were given, and a promotion ends the hold that it is in", () => {
  const asked = ["start", "moved", "timeUp"] as const;
  const ann: Sketch = { kind: "approve", actor: "ann" };
  expect(run(...asked, ann, "pause", "resume").state.phase).toMatchObject({
    kind: "awaiting",
    approvals: [{ actor: "ann" }],
  });
  expect(run(...asked, ann, "pause", "promote").state.phase).toMatchObject({
    kind: "awaiting",
    approvals: [{ actor: "ann" }],
  });
  const held = [...asked, ...approvals] as const;
  expect(run(...held, "pause", "promote").state.phase).toMatchObject({ kind: "moving", step: 4 });
  expect(run(...held, "pause", "resume").state.phase).toEqual({ kind: "holding", step: 3, untilMs: null });
});

test("weights that somebody else has changed stop a release that waits, and nothing else", () => {
  expect(run("start", "moved", "overruled").state.phase).toMatchObject({ kind: "failed", step: 1, during: "step" });
  expect(() => run("start", "overruled")).toThrow("it is not between two moves");
});

const shortYes: PlannedStep = { ...twoPeople, expiresMs: 5, letsStarterApprove: false };
const anyStep = constantFrom<PlannedStep>(weight, shift, minute, forever, twoPeople, shortYes, check, subsets);
const anySketch = oneof(
  constantFrom<Sketch>("moved", "moveFailed", "timeUp", "judged", "overruled", "turned", "partlyBack", "overdue"),
  constantFrom<Sketch>("pause", "resume", "reject", "retry", "abort", "rollback", "set"),
  record({
    kind: constantFrom<"approve" | "promote">("approve", "promote"),
    actor: constantFrom("ann", "bob", "cyd"),
  }),
  constant<Sketch>({ kind: "promote", full: true }),
  constant<Sketch>({ kind: "rollback", now: true }),
  constant<Sketch>({ kind: "promote", despiteFreeze: true }),
);

function expectEffectOf(step: PlannedStep | undefined, effect: string | undefined): void {
  expect([
    ["weight", "moveForward"],
    ["switch", "moveForward"],
    ["subsets", "editSubsets"],
  ]).toContainEqual([step?.kind, effect]);
}

test("whatever happens, a release moves weights, waits for somebody, or has ended", () => {
  assert(
    property(array(anyStep, { minLength: 1, maxLength: 8 }), array(anySketch, { maxLength: 40 }), (plan, events) => {
      let state = unstarted;
      let highest = -1;
      let isGoingBack = false;
      for (const [index, sketch] of (["start", ...events] as readonly Sketch[]).entries()) {
        const advanced = advanceRelease({ steps: plan, spec: { maxFailed: 3 } }, state, eventOf(sketch, index));
        if (advanced.kind === "notNow") {
          expect(advanced.because).not.toBe("");
          continue;
        }
        const { phase } = advanced.state;
        const isMoving = isMovingPhase(phase);
        // A full promotion of a release that moves weights leaves them to be moved once.
        if (["moveForward", "moveBack", "redo", "setWeights"].includes(advanced.effect?.kind ?? ""))
          expect(isMoving).toBe(true);
        if (isMoving && state.phase.kind !== phase.kind) expect(advanced.effect).toBeDefined();
        if (phase.kind === "moving") {
          if (phase !== state.phase) expectEffectOf(plan[phase.step], advanced.effect?.kind);
          expect(phase.step).toBeGreaterThanOrEqual(highest);
          highest = phase.step;
        }
        // Only the undo of a way back leads out of it.
        isGoingBack = (isGoingBack || phase.kind === "rollingBack") && state.phase.kind !== "redoing";
        if (isGoingBack) expect(["rollingBack", "rolledBack", "redoing", "failed", "aborted"]).toContain(phase.kind);
        if (isOver(state.phase)) expect(eventOf(sketch, index).kind).toBe("rollback");
        ({ state } = advanced);
      }
    }),
    { numRuns: 5_000 },
  );
});

/** What people, proxies and the clock do next in each phase where nothing goes wrong. */
const usual: Readonly<Record<ReleaseState["phase"]["kind"], readonly Sketch[]>> = {
  planned: ["start"],
  moving: ["moved"],
  rollingBack: ["moved"],
  redoing: ["moved"],
  setting: ["moved"],
  holding: ["timeUp", "promote"],
  frozen: ["timeUp"],
  checking: ["judged"],
  awaiting: [
    { kind: "approve", actor: "bob" },
    { kind: "approve", actor: "cyd" },
  ],
  paused: ["resume"],
  failed: ["retry"],
  done: [],
  aborted: [],
  rolledBack: [],
};

const anyFreeze = constantFrom<ActiveFreeze | undefined>(undefined, undefined, { untilMs: 30, reason: "weekend" });
const anyLimit = constantFrom<MaxDuration | undefined>(
  undefined,
  { durationMs: 7, action: "rollback" },
  { durationMs: 7, action: "pause" },
);

function expectFewer(given: readonly GivenApproval[], { people }: Pick<Approval, "people">): void {
  expect(given.length).toBeLessThan(people);
  expect(new Set(given.map(({ actor }) => actor)).size).toBe(given.length);
}

test("from wherever it is, a release waits for a person or a time that it names, and comes to an end", () => {
  assert(
    property(
      array(anyStep, { minLength: 1, maxLength: 6 }),
      array(record({ sketch: anySketch, freeze: anyFreeze }), { maxLength: 30 }),
      anyLimit,
      (list, events, maxDuration) => {
        const plan: StepPlans = { steps: list, spec: { maxFailed: 3, maxDuration } };
        let state = unstarted;
        let atMs = 0;
        const take = (sketch: Sketch, freeze?: ActiveFreeze): void => {
          const event = { ...eventOf(sketch, atMs), ...(freeze === undefined ? {} : { freeze }) };
          const advanced = advanceRelease(plan, state, event);
          if (advanced.kind === "notNow") return;
          const before = state.phase;
          ({ state } = advanced);
          const { effect } = advanced;
          const { phase } = state;
          // Whoever restarts finds what the table has just asked for.
          const pending = pendingEffect({ plan, state });
          if (phase.kind === "frozen" || phase.kind === "awaiting") expect(pending).toEqual(effect);
          if (phase.kind === "awaiting") expectFewer(phase.approvals, approvalOf(plan, phase.step));
          const begins = phase.kind === "moving" && phase !== before && list[phase.step]?.kind === "switch";
          if (begins && freeze !== undefined) expect(state.passesFreezesUntilMs).not.toBeNull();
          const waitsForPeople = ["paused", "failed", "awaiting", "holding"].includes(phase.kind);
          expect(isOver(phase) || pending !== undefined || waitsForPeople).toBe(true);
        };
        take("start", events[0]?.freeze);
        for (const { sketch, freeze } of events) {
          atMs += 1;
          take(sketch, freeze);
        }
        // The freeze is over, everybody does what they are asked for, and at this time no judge and no proxy objects.
        atMs = 15_000;
        for (let count = 0; count < 100 && !isOver(state.phase); count += 1) {
          for (const sketch of usual[state.phase.kind]) take(sketch);
        }
        expect(isOver(state.phase)).toBe(true);
      },
    ),
    { numRuns: 5_000 },
  );
});
