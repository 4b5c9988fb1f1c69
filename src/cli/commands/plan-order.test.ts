import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../api/types.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { isAsAsked, isAtRest, planOrder } from "./plan-order.ts";

type Phase = ReleaseStatus["phase"];

const commands = {
  promote: { kind: "promote", full: false },
  pause: { kind: "pause" },
  resume: { kind: "resume" },
  approve: { kind: "approve" },
  reject: { kind: "reject" },
  retry: { kind: "retry" },
  abort: { kind: "abort" },
  rollback: { kind: "rollback" },
  rollbackNow: { kind: "rollback", now: true },
  set: { kind: "set", shares: 10 },
} satisfies Record<string, ReleaseCommand>;

function left(phase: Phase, untilMs: number | null = null): Pick<ReleaseStatus, "phase" | "untilMs"> {
  return { phase, untilMs };
}

test.each<readonly [keyof typeof commands, Phase]>([
  ["abort", "failed"],
  ["abort", "holding"],
  ["abort", "rollingBack"],
  ["rollback", "failed"],
  ["rollbackNow", "rollingBack"],
  ["retry", "failed"],
  ["promote", "moving"],
  ["pause", "moving"],
  ["resume", "paused"],
  ["resume", "failed"],
  ["resume", "done"],
  ["approve", "awaiting"],
])("%s of a release that was left %s is said before anything goes on", (command, phase) => {
  expect(planOrder(commands[command], left(phase))).toEqual({ kind: "atOnce" });
});

test.each<readonly [keyof typeof commands, Phase, boolean]>([
  ["abort", "moving", true],
  ["rollback", "moving", true],
  ["set", "moving", true],
  ["abort", "setting", false],
  ["abort", "redoing", false],
])("%s of a release that was left %s waits for the end of that step", (command, phase, pauses) => {
  expect(planOrder(commands[command], left(phase))).toEqual({ kind: "afterStep", pauses });
});

test.each<Phase>(["planned", "moving", "checking", "frozen", "rollingBack", "setting", "redoing"])(
  "resume goes on with a release that was left %s",
  (phase) => {
    expect(planOrder(commands.resume, left(phase))).toEqual({ kind: "goOn" });
  },
);

test("a rollback that is said again goes on with the way back that a process has left", () => {
  expect(planOrder(commands.rollback, left("rollingBack"))).toEqual({ kind: "goOn" });
});

test("resume goes on with a hold that has an end, and asks the release itself about one that has none", () => {
  expect(planOrder(commands.resume, left("holding", 7))).toEqual({ kind: "goOn" });
  expect(planOrder(commands.resume, left("holding"))).toEqual({ kind: "atOnce" });
});

test("nothing is left to be done once a release has ended, has failed or waits for a person", () => {
  for (const phase of ["done", "aborted", "rolledBack", "failed", "paused", "awaiting", "holding"] as const) {
    expect(isAtRest(left(phase)), phase).toBe(true);
  }
  for (const phase of ["moving", "checking", "frozen", "rollingBack"] as const) {
    expect(isAtRest(left(phase)), phase).toBe(false);
  }
  expect(isAtRest(left("holding", 7))).toBe(false);
});

type Course = readonly [command: keyof typeof commands, told: Phase, ended: Phase];

test.each<Course>([
  ["abort", "aborted", "aborted"],
  ["reject", "failed", "failed"],
  ["rollback", "rollingBack", "rolledBack"],
  ["rollback", "redoing", "done"],
  ["rollback", "redoing", "paused"],
  ["retry", "moving", "done"],
  ["retry", "rollingBack", "rolledBack"],
  ["promote", "moving", "holding"],
  ["approve", "awaiting", "awaiting"],
  ["pause", "paused", "paused"],
  ["set", "setting", "paused"],
])("%s that began as %s and ended as %s is as it was asked for", (command, told, ended) => {
  expect(isAsAsked(commands[command], { told: { phase: told }, ended: left(ended) })).toBe(true);
});

test.each<Course>([
  ["abort", "moving", "done"],
  ["rollback", "rollingBack", "failed"],
  ["rollback", "redoing", "rolledBack"],
  ["retry", "moving", "failed"],
  ["promote", "moving", "rolledBack"],
  ["resume", "moving", "aborted"],
  ["pause", "moving", "failed"],
])("%s that began as %s and ended as %s is not", (command, told, ended) => {
  expect(isAsAsked(commands[command], { told: { phase: told }, ended: left(ended) })).toBe(false);
});
