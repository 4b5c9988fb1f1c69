import { describe, expect, test } from "vitest";
import { bareSpec } from "../../../test/release-spec.fixture.ts";
import type { ReleaseStatus } from "../../api/types.ts";
import { describeRelease } from "../../core/release/describe/describe-release.ts";
import type { PlannedStep, ReleasePlan } from "../../core/release/plan/plan-release.ts";
import { advanceRelease, unstarted } from "../../core/release/state/advance-release.ts";
import type { ReleaseEvent, ReleaseState } from "../../core/release/state/release-state.ts";
import type { ReleaseObjectStatus } from "./release-status.ts";
import { buildStatus, type StatusInput } from "./build-status.ts";
import { patchOf, writeStatus } from "./write-status.ts";

const hold: PlannedStep = { kind: "hold", durationMs: undefined };

function releaseAfter(...events: readonly ReleaseEvent[]): ReleaseStatus {
  const steps: readonly PlannedStep[] = [{ kind: "switch", moves: [] }, hold];
  return releaseOf({ release: "shop/r", to: "green", steps, spec: bareSpec }, events);
}

function releaseOf(plan: ReleasePlan, events: readonly ReleaseEvent[]): ReleaseStatus {
  let state: ReleaseState = unstarted;
  for (const event of events) {
    const advanced = advanceRelease(plan, state, event);
    if (advanced.kind === "notNow") throw new Error(advanced.because);
    ({ state } = advanced);
  }
  const rest = { startedAt: "2026-01-01T00:00:00.000Z", actor: "ann", reason: null, check: null, live: null };
  return { id: "r1", ...describeRelease(plan, state), ...rest, lastEvent: events.at(-1) ?? null, plan, events };
}

const start: ReleaseEvent = { kind: "start", atMs: 0, startedBy: "ann" };
const moved: ReleaseEvent = { kind: "moved", atMs: 10, failed: 0 };
const promote: ReleaseEvent = { kind: "promote", full: false, atMs: 20, actor: "ann", reason: null };
const abort: ReleaseEvent = { kind: "abort", atMs: 30, actor: "ann", reason: null };

function input(more: Partial<StatusInput> & Pick<StatusInput, "standing">): StatusInput {
  return {
    generation: 1,
    before: {},
    startedGeneration: 1,
    journal: { configMaps: [] },
    live: undefined,
    lastOrder: undefined,
    controller: "one",
    now: "2026-01-02T00:00:00.000Z",
    ...more,
  };
}

function conditionsOf(more: Parameters<typeof input>[0]): Readonly<Record<string, string>> {
  const { conditions = [] } = buildStatus(input(more));
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

describe("the status of a Release", () => {
  test.each<readonly [what: string, events: readonly ReleaseEvent[], conditions: Readonly<Record<string, string>>]>([
    ["moves", [start], { Ready: "False Moving", Progressing: "True Moving", Proved: "Unknown NothingMoved" }],
    [
      "waits to be promoted",
      [start, moved],
      { Paused: "True Holding", Proved: "True Proved", Failed: "False Holding" },
    ],
    ["is done", [start, moved, promote], { Ready: "True Done", Progressing: "False Done", Failed: "False Done" }],
    ["was aborted", [start, moved, abort], { Ready: "False Aborted", Failed: "True Aborted" }],
    [
      "has failed",
      [start, { kind: "moveFailed", atMs: 5, reason: "a proxy refused it" }],
      { Failed: "True Failed", Progressing: "False Failed", Proved: "False MoveFailed" },
    ],
  ])("that %s", (_what, events, conditions) => {
    expect(conditionsOf({ standing: { kind: "begun", release: releaseAfter(...events) } })).toMatchObject(conditions);
  });

  test("that cannot begin has failed with its code, and one that waits has not", () => {
    const refused = { kind: "refused", code: "KIR2008", message: "no such rule" } as const;
    expect(conditionsOf({ standing: refused })).toMatchObject({ Ready: "False KIR2008", Failed: "True KIR2008" });
    const pending = { kind: "pending", message: "another has the route" } as const;
    expect(conditionsOf({ standing: pending })).toMatchObject({ Ready: "False Pending", Failed: "False Pending" });
  });

  test("keeps since when a condition holds while only its message changes", () => {
    const first = buildStatus(input({ standing: { kind: "pending", message: "one" } }));
    const later = buildStatus(
      input({ standing: { kind: "pending", message: "two" }, before: first, now: "2027-01-01T00:00:00.000Z" }),
    );
    expect(later.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(
      first.conditions?.map(({ lastTransitionTime }) => lastTransitionTime),
    );
    const done = buildStatus(
      input({
        standing: { kind: "begun", release: releaseAfter(start, moved, promote) },
        before: later,
        now: "2027-01-01T00:00:00.000Z",
      }),
    );
    expect(done.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime).toBe("2027-01-01T00:00:00.000Z");
  });

  test("says that a spec was edited, and what becomes of that", () => {
    const running = input({ standing: { kind: "begun", release: releaseAfter(start) }, generation: 2 });
    const edited = buildStatus(running).conditions?.find(({ type }) => type === "SpecChanged");
    expect(edited).toMatchObject({ status: "True", message: expect.stringContaining("is begun when it is done") });
  });

  test("remembers which generation was there when it ended", () => {
    const standing = { kind: "begun", release: releaseAfter(start, moved, abort) } as const;
    const ended = buildStatus(input({ standing, generation: 2 }));
    expect(ended).toMatchObject({ endedGeneration: 2, startedGeneration: 1, endedAt: "1970-01-01T00:00:00.030Z" });
    expect(buildStatus(input({ standing, generation: 3, before: ended })).endedGeneration).toBe(2);
  });
});

describe("the weight that a status tells", () => {
  const rule = { split: "shop/web/public", rule: 0, name: "public", role: "public" } as const;
  const versions = ["blue", "green"].map((name) => ({ name, destinations: [name] }));
  const step = (before: number, after: number): PlannedStep => {
    const change = {
      ...rule,
      before: { blue: 100 - before, green: before },
      after: { blue: 100 - after, green: after },
    };
    // Only what is read of it.
    const move = { virtualService: "shop/web", from: "blue", to: "green", versions, changes: [change] };
    return { kind: "weight", percent: after, moves: [move] } as unknown as PlannedStep;
  };
  const plan: ReleasePlan = {
    release: "shop/r",
    to: "green",
    steps: [step(0, 10), hold, step(10, 50), hold],
    spec: bareSpec,
  };
  const person = { actor: "ann", reason: null };
  const set: ReleaseEvent = { kind: "set", shares: 25, atMs: 20, ...person };
  const setDone: ReleaseEvent = { ...moved, atMs: 30, left: { [rule.split]: { blue: 75, green: 25 } } };
  const rollback: ReleaseEvent = { kind: "rollback", atMs: 50, ...person };
  const turned: ReleaseEvent = {
    kind: "turned",
    atMs: 60,
    was: { [rule.split]: { blue: 75, green: 25 } },
    gives: { [rule.split]: { blue: 100, green: 0 } },
  };

  test.each<readonly [what: string, events: readonly ReleaseEvent[], weight: string]>([
    ["before anything was moved", [start], "blue 100 %"],
    ["after a step", [start, moved], "blue 90 %, green 10 %"],
    ["while an order sets others", [start, moved, set], "blue 90 %, green 10 %"],
    ["when they are set", [start, moved, set, setDone], "blue 75 %, green 25 %"],
    [
      "when they could not be set",
      [start, moved, set, { kind: "moveFailed", atMs: 30, reason: "no" }],
      "blue 90 %, green 10 %",
    ],
    ["after the next step", [start, moved, set, setDone, promote, moved], "blue 50 %, green 50 %"],
    ["on its way back", [start, moved, set, setDone, rollback, turned], "blue 75 %, green 25 %"],
    ["when it is back", [start, moved, set, setDone, rollback, turned, moved], "blue 100 %"],
    [
      "when that is undone",
      [start, moved, set, setDone, rollback, turned, moved, rollback, moved],
      "blue 75 %, green 25 %",
    ],
  ])("is the one that is live: %s", (_what, events, weight) => {
    const release = releaseOf(plan, events);
    expect(buildStatus(input({ standing: { kind: "begun", release } })).weight).toBe(weight);
  });
});

test("a merge patch says what is new, what is other and what is gone, and nothing of what is the same", () => {
  const before = { a: 1, b: { c: 1, d: [1, { e: 2 }] }, f: "gone" };
  expect(patchOf(before, { a: 1, b: { d: [1, { e: 2 }], c: 1 }, f: "gone" })).toBeUndefined();
  expect(patchOf(before, { a: 2, b: { c: 1, d: [1, { e: 3 }] }, g: 1 })).toEqual({
    a: 2,
    b: { d: [1, { e: 3 }] },
    g: 1,
    f: null,
  });
});

test("what people wrote is written for others to print, and an order as it was given", async () => {
  const patches: unknown[] = [];
  const object = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata: { name: "a", namespace: "shop" } };
  const api = {
    mergePatch: async (_kind: unknown, _name: unknown, { patch }: { readonly patch: object }) => {
      patches.push(patch);
      return object;
    },
  };
  const lastOrder = { order: "approve\u001B", actor: "\u001B[2Jann", at: "2026-01-02T00:00:00.000Z", state: "Taken" };
  const status = { message: "waits: \u001B]0;root\u0007\n\u202Edone", lastOrder } as const;
  await writeStatus(api, object, { status: status as ReleaseObjectStatus });
  expect(patches).toEqual([
    {
      status: { message: "waits: \uFFFD]0;root\uFFFD \uFFFDdone", lastOrder: { ...lastOrder, actor: "\uFFFD[2Jann" } },
    },
  ]);
});
