import { expect, test } from "vitest";
import { unstarted } from "../core/release/state/advance-release.ts";
import type { ReleaseState } from "../core/release/state/release-state.ts";
import { ReleaseLimits } from "./release-limits.ts";

const plan = { spec: { maxFailed: undefined, maxDuration: { durationMs: 60_000, action: "rollback" } } } as const;
const moving: ReleaseState = { ...unstarted, phase: { kind: "moving", step: 0 }, startedAtMs: 1_000 };

function createLimits(): { readonly limits: ReleaseLimits; readonly running: Set<number> } {
  const running = new Set<number>();
  const limits = new ReleaseLimits({
    clock: { nowMs: () => 1_000, sleep: () => Promise.resolve() },
    wakeAt: (atMs) => {
      running.add(atMs);
      return { [Symbol.dispose]: () => void running.delete(atMs) };
    },
    canTake: () => true,
    take: () => undefined,
    onDefect: (error) => {
      throw error;
    },
  });
  return { limits, running };
}

test("waits for a limit until the release has ended", () => {
  const { limits, running } = createLimits();
  limits.follow({ id: "r1", plan, state: moving });
  limits.follow({ id: "r1", plan, state: { ...moving, phase: { kind: "holding", step: 1, untilMs: null } } });
  expect([...running]).toEqual([61_000]);
  limits.follow({ id: "r1", plan, state: { ...moving, phase: { kind: "done" } } });
  expect(running.size).toBe(0);
});

test("waits for nothing once it is closed, so that a move which ends later keeps no process alive", () => {
  const { limits, running } = createLimits();
  limits.follow({ id: "r1", plan, state: moving });
  limits[Symbol.dispose]();
  limits.follow({ id: "r1", plan, state: { ...moving, phase: { kind: "holding", step: 1, untilMs: null } } });
  expect(running.size).toBe(0);
});
