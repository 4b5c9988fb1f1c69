import { expect, test } from "vitest";
import type { ReleasePlan } from "../plan/plan-release.ts";
import type { ReleaseEvent } from "../state/release-state.ts";
import { tellEvents } from "./tell-events.ts";

const steps = [{ kind: "preview" }, { kind: "hold", durationMs: 5 }, { kind: "weight", moves: [] }, { kind: "check" }];
const plan = { release: "shop/r", to: "green", spec: {}, steps } as unknown as ReleasePlan;

test("what happens by itself is told with the step that it was about", () => {
  const events: readonly ReleaseEvent[] = [
    { kind: "start", atMs: 0, startedBy: "ann" },
    { kind: "moved", atMs: 1, failed: 0 },
    { kind: "pause", atMs: 2, actor: "bob", reason: "lunch" },
    { kind: "resume", atMs: 3, actor: "bob", reason: null },
    { kind: "timeUp", atMs: 8 },
    { kind: "moved", atMs: 9, failed: 2, move: "m2" },
    { kind: "judged", atMs: 10, verdict: "pass", detail: "all good", results: [] },
  ];
  expect(tellEvents(plan, events).map(({ what }) => what)).toEqual([
    "begun",
    "step 1 (preview): carried out",
    "paused by bob: lunch",
    "resumed by bob",
    "step 2 (hold): its time is over",
    "step 3 (weight): weights moved and proved, 2 requests failed",
    "step 4 (check): pass: all good",
  ]);
});
