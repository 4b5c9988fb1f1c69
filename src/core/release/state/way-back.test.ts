import { describe, expect, test } from "vitest";
import { advanceRelease, unstarted } from "./advance-release.ts";
import { describePhase } from "./release-phase.ts";
import type { ReleaseEvent, ReleaseState, StepPlans } from "./release-state.ts";

const plan: StepPlans = {
  steps: [
    { kind: "weight", moves: [] },
    { kind: "hold", durationMs: 60_000 },
    { kind: "switch", moves: [] },
  ],
  spec: { maxFailed: undefined },
};
const person = { actor: "ann", reason: null } as const;
const start: ReleaseEvent = { kind: "start", atMs: 0, ready: { blue: 4, green: 4 } };
const moved: ReleaseEvent = { kind: "moved", atMs: 1_000, failed: 0 };
const moveFailed: ReleaseEvent = { kind: "moveFailed", atMs: 1_000, reason: "no proof" };
const rollback: ReleaseEvent = { kind: "rollback", atMs: 11_000, ...person };
const atOnce: ReleaseEvent = { kind: "rollback", now: true, atMs: 12_000, ...person };
const promote: ReleaseEvent = { kind: "promote", full: false, atMs: 12_000, ...person };
const resume: ReleaseEvent = { kind: "resume", atMs: 12_000, ...person };
const abort: ReleaseEvent = { kind: "abort", atMs: 12_000, ...person };
const set: ReleaseEvent = { kind: "set", shares: { green: 30 }, atMs: 11_000, ...person };
const was = { public: { blue: 90, green: 10 } };
const turned: ReleaseEvent = { kind: "turned", atMs: 11_000, was, gives: was };
const waits = [{ version: "blue", ready: 2, wanted: 4, backPercent: 50 }];
const partlyBack: ReleaseEvent = { kind: "partlyBack", atMs: 11_500, failed: 0, left: was, waits };

function run(...events: readonly ReleaseEvent[]): { readonly state: ReleaseState; readonly effect: unknown } {
  let last: { readonly state: ReleaseState; readonly effect: unknown } = { state: unstarted, effect: undefined };
  for (const event of events) {
    const advanced = advanceRelease(plan, last.state, event);
    if (advanced.kind === "notNow") throw new Error(`${describePhase(last.state.phase)}: ${advanced.because}`);
    last = advanced;
  }
  return last;
}

describe("the undo of a way back", () => {
  const back = [start, moved, rollback, turned, moved] as const;

  test("leads to the step that it was in, paused, with what was left of its hold", () => {
    expect(run(...back, rollback)).toMatchObject({
      state: { phase: { kind: "redoing", step: 1 } },
      effect: { kind: "redo", step: 1, actor: "ann" },
    });
    expect(run(...back, rollback, moved).state).toMatchObject({
      phase: { kind: "paused", step: 1, within: { kind: "hold", remainingMs: 50_000 }, reason: "brought back by ann" },
      hand: { step: 1, weights: was },
    });
    expect(run(...back, rollback, moved, promote).state.phase).toEqual({ kind: "moving", step: 2 });
  });

  test("leads to its end where it was done, and can be undone again and again", () => {
    const done = [start, moved, promote, moved] as const;
    const round = [rollback, turned, moved, rollback, moved] as const;
    expect(run(...done, ...round).state.phase).toEqual({ kind: "done" });
    expect(run(...done, ...round, ...round).state.phase).toEqual({ kind: "done" });
    expect(run(...done, ...round, rollback).state.phase).toMatchObject({ kind: "rollingBack", step: 3 });
  });

  test("that fails leaves it rolled back, and can be asked for again", () => {
    expect(run(...back, rollback, moveFailed).state.phase).toEqual({
      kind: "rolledBack",
      step: 1,
      failure: "no proof",
    });
    expect(run(...back, rollback, moveFailed, rollback).effect).toMatchObject({ kind: "redo" });
  });

  test("remembers what was live before its first part, not before the last", () => {
    const later: ReleaseEvent = { kind: "turned", atMs: 12_500, was: { public: { blue: 95, green: 5 } }, gives: was };
    expect(run(start, moved, rollback, turned, partlyBack, later, moved).state.back?.was).toEqual(was);
  });

  test("is not to be had from a journal that does not say what was there, nor while a freeze is in force", () => {
    expect(() => run(start, moved, rollback, moved, rollback)).toThrow("the journal of that time does not say");
    const freeze = { untilMs: 99_000, reason: null };
    expect(() => run(...back, { ...rollback, freeze })).toThrow("a freeze is in force");
    expect(run(start, moved, { ...rollback, freeze }).state.phase).toMatchObject({ kind: "rollingBack" });
  });
});

describe("a way back in parts", () => {
  const partly = [start, moved, rollback, turned, partlyBack] as const;

  test("looks again after a second, for as long as it takes", () => {
    expect(run(...partly)).toMatchObject({
      state: { phase: { kind: "rollingBack", waits, failures: [] } },
      effect: { kind: "moveBack", notBeforeMs: 12_500 },
    });
    expect(run(...partly, turned).state.phase).toMatchObject({ waits: undefined });
    expect(run(...partly, turned, moved).state.phase).toMatchObject({ kind: "rolledBack" });
  });

  test("ends at once when somebody wants it now", () => {
    expect(run(...partly, atOnce)).toMatchObject({
      state: { phase: { isNow: true } },
      effect: { kind: "moveBack", notBeforeMs: 12_000 },
    });
    expect(() => run(...partly, rollback)).toThrow("`--now` waits for no endpoints");
  });

  test("can be ended where it is while it waits, and not while weights move", () => {
    expect(run(...partly, abort).state.phase).toMatchObject({ kind: "aborted", step: 1 });
    expect(() => run(...partly, turned, abort)).toThrow("ask again in a moment");
    expect(run(...partly, abort, rollback, turned, moved, rollback, moved).state.hand?.weights).toEqual(was);
  });
});

describe("weights by hand", () => {
  const left = { public: { blue: 70, green: 30 } };
  const movedByHand: ReleaseEvent = { ...moved, left };

  test("pause the release at its step, and keep what it waited for", () => {
    expect(run(start, moved, set)).toMatchObject({
      state: { phase: { kind: "setting", step: 1 } },
      effect: { kind: "setWeights", shares: { green: 30 } },
    });
    expect(run(start, moved, set, movedByHand).state).toMatchObject({
      phase: { kind: "paused", step: 1, within: { kind: "hold" }, reason: "green 30 % set by ann" },
      hand: { step: 1, weights: left },
    });
    expect(run(start, moved, set, movedByHand, resume).state.phase).toMatchObject({ kind: "holding", step: 1 });
    expect(run(start, moved, set, movedByHand, promote).state.phase).toEqual({ kind: "moving", step: 2 });
  });

  test("that were not set leave everything as it was", () => {
    const { state } = run(start, moved, set, moveFailed);
    expect(state).toMatchObject({ phase: { kind: "paused", reason: "the weights of ann were not set: no proof" } });
    expect(state.hand).toBeUndefined();
  });

  test("are given to a step that has failed, and to nothing that moves or is over", () => {
    expect(run(start, moveFailed, set).state.phase).toMatchObject({ kind: "setting", step: 0, within: null });
    expect(() => run(start, set)).toThrow("ask again in a moment");
    expect(() => run(start, moved, abort, set)).toThrow("it is over");
    expect(() => run(start, moved, rollback, partlyBack, set)).toThrow("ask again in a moment");
  });

  test("do not give the new version more while a freeze is in force", () => {
    const freeze = { untilMs: 99_000, reason: null };
    expect(() => run(start, moved, { ...set, raises: true, freeze })).toThrow("a freeze is in force");
    expect(run(start, moved, { ...set, freeze }).state.phase).toMatchObject({ kind: "setting" });
  });
});
