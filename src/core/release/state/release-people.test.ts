import { describe, expect, test } from "vitest";
import { advanceRelease, unstarted } from "./advance-release.ts";
import type { PlannedStep } from "../plan/plan-release.ts";
import type { ActiveFreeze, ReleaseEffect, ReleaseEvent, ReleaseState, StepPlans } from "./release-state.ts";

const hourMs = 3_600_000;
const shift: PlannedStep = { kind: "switch", moves: [] };
const hold: PlannedStep = { kind: "hold", durationMs: hourMs };

function ask(more: Partial<Extract<PlannedStep, { kind: "approve" }>> = {}): PlannedStep {
  return { kind: "approve", people: 2, question: undefined, expiresMs: undefined, letsStarterApprove: true, ...more };
}

/** A release that ann starts at 0, with a hold before each of these steps that nobody has to see. */
class Story {
  readonly #plan: StepPlans;
  state: ReleaseState = unstarted;
  effect: ReleaseEffect | undefined;
  freeze: ActiveFreeze | undefined;

  constructor(steps: readonly PlannedStep[], spec: Partial<StepPlans["spec"]> = {}) {
    this.#plan = { steps, spec: { maxFailed: undefined, ...spec } };
  }

  begin(): this {
    return this.take({ kind: "start", atMs: 0, startedBy: "ann" });
  }

  take(event: ReleaseEvent): this {
    const refusal = this.refusal(event);
    if (refusal !== undefined) throw new Error(refusal);
    return this;
  }

  /** Why it cannot be; where it can, it has been. */
  refusal(event: ReleaseEvent): string | undefined {
    const advanced = advanceRelease(this.#plan, this.state, {
      ...event,
      ...(this.freeze === undefined ? {} : { freeze: this.freeze }),
    });
    if (advanced.kind === "notNow") return advanced.because;
    ({ state: this.state, effect: this.effect } = advanced);
    return undefined;
  }

  get phase(): ReleaseState["phase"] {
    return this.state.phase;
  }
}

function yes(actor: string, atMs: number, reason: string | null = null): ReleaseEvent {
  return { kind: "approve", actor, atMs, reason };
}

function tell(kind: "pause" | "resume" | "abort" | "rollback", atMs: number): ReleaseEvent {
  return { kind, actor: "bob", atMs, reason: null };
}

describe("an approval", () => {
  test("is kept with its name, its time and its reason", () => {
    const story = new Story([ask(), shift]).begin().take(yes("bob", 5, "the errors are those of last week"));
    expect(story.phase).toEqual({
      kind: "awaiting",
      step: 0,
      approvals: [{ actor: "bob", atMs: 5, reason: "the errors are those of last week" }],
    });
    expect(story.refusal(yes("bob", 6))).toBe("bob has approved already, and 2 different people are asked for");
    expect(story.take(yes("cyd", 7)).phase).toEqual({ kind: "moving", step: 1 });
  });

  test("is not the starter's to give, where that was agreed", () => {
    const two = new Story([ask({ letsStarterApprove: false }), shift]).begin();
    expect(two.refusal(yes("ann", 1))).toBe("ann started it, and others have to approve it");
    const one = new Story([ask({ people: 1, letsStarterApprove: false }), shift]).begin();
    expect(one.refusal(yes("ann", 1))).toBe("ann started it, and somebody else has to approve it");
    expect(one.take(yes("bob", 1)).phase.kind).toBe("moving");
  });

  test("may be the starter's where an old journal does not say who that is", () => {
    const story = new Story([ask({ people: 1, letsStarterApprove: false }), shift]).take({ kind: "start", atMs: 0 });
    expect(story.take(yes("ann", 1)).phase.kind).toBe("moving");
  });

  test("no longer counts after its time, and its giver may say yes again", () => {
    const story = new Story([ask({ expiresMs: 100 }), shift]).begin().take(yes("bob", 10));
    expect(story.effect).toEqual({ kind: "wakeAt", atMs: 110 });
    expect(story.refusal(yes("bob", 109))).toContain("bob has approved already");
    // The timer may come late; the time of the event decides.
    expect(story.take(yes("cyd", 110)).phase).toMatchObject({ approvals: [{ actor: "cyd", atMs: 110 }] });
    expect(story.take(yes("bob", 209)).phase.kind).toBe("moving");
  });

  test("that expires is dropped by the clock, one after the other", () => {
    const story = new Story([ask({ people: 3, expiresMs: 100 }), shift]).begin();
    story.take(yes("bob", 10)).take(yes("cyd", 50));
    expect(story.effect).toEqual({ kind: "wakeAt", atMs: 110 });
    expect(story.take({ kind: "timeUp", atMs: 110 }).phase).toMatchObject({ approvals: [{ actor: "cyd" }] });
    expect(story.effect).toEqual({ kind: "wakeAt", atMs: 150 });
    expect(story.take({ kind: "timeUp", atMs: 151 }).phase).toMatchObject({ approvals: [] });
    expect(story.effect).toBeUndefined();
  });

  test("expires in a pause too", () => {
    const story = new Story([ask({ expiresMs: 100 }), shift]).begin();
    story.take(yes("bob", 10)).take(tell("pause", 20));
    expect(story.phase).toMatchObject({ kind: "paused", within: { kind: "approve", approvals: [{ actor: "bob" }] } });
    expect(story.take(tell("resume", 200)).phase).toMatchObject({ kind: "awaiting", approvals: [] });
  });
});

const weekend: ActiveFreeze = { untilMs: 63 * hourMs, reason: "weekend" };

function frozen(): Story {
  const story = new Story([shift]);
  story.freeze = weekend;
  return story.begin();
}

describe("a freeze", () => {
  test("holds back a step that gives the new version more, and lets it begin when it is over", () => {
    const story = new Story([shift]);
    story.freeze = weekend;
    story.begin();
    expect(story.phase).toEqual({ kind: "frozen", step: 0, untilMs: 63 * hourMs, reason: "weekend" });
    expect(story.effect).toEqual({ kind: "wakeAt", atMs: 63 * hourMs });
    story.freeze = undefined;
    expect(story.take({ kind: "timeUp", atMs: 63 * hourMs }).phase).toEqual({ kind: "moving", step: 0 });
  });

  test("that follows upon another one holds it back as well", () => {
    const story = new Story([shift]);
    story.freeze = weekend;
    story.begin();
    story.freeze = { untilMs: 90 * hourMs, reason: null };
    expect(story.take({ kind: "timeUp", atMs: 63 * hourMs }).phase).toMatchObject({
      kind: "frozen",
      untilMs: 90 * hourMs,
      reason: null,
    });
  });

  test("lets holds, approvals and the end of additions begin", () => {
    const story = new Story([hold, ask({ people: 1 }), { kind: "finish" }, shift]);
    story.freeze = weekend;
    expect(story.begin().phase.kind).toBe("holding");
    expect(story.take({ kind: "timeUp", atMs: hourMs }).phase.kind).toBe("awaiting");
    expect(story.take(yes("bob", hourMs)).phase).toEqual({ kind: "moving", step: 2 });
    expect(story.take({ kind: "moved", atMs: hourMs, failed: 0 }).phase.kind).toBe("frozen");
  });

  test("leaves pausing, ending and the way back open", () => {
    expect(frozen().take(tell("rollback", 1)).phase).toMatchObject({ kind: "rollingBack", step: 0 });
    expect(frozen().take(tell("abort", 1)).phase).toMatchObject({ kind: "aborted" });
    const paused = frozen().take(tell("pause", 1));
    expect(paused.phase).toEqual({ kind: "paused", step: 0, within: null });
    expect(paused.take(tell("resume", 2)).phase.kind).toBe("frozen");
  });

  test("is passed by a decision with a reason, and by no other promotion", () => {
    const story = new Story([shift, shift]);
    story.freeze = weekend;
    story.begin();
    const promote = { kind: "promote", actor: "bob", atMs: 1, full: true } as const;
    expect(story.refusal({ ...promote, reason: "now" })).toContain("a freeze is in force");
    expect(story.refusal({ ...promote, despiteFreeze: true, reason: null })).toBe("passing a freeze needs a reason");
    story.take({ ...promote, despiteFreeze: true, reason: "the shop is down" });
    expect(story.phase).toEqual({ kind: "moving", step: 0 });
    // Until that freeze is over, and no longer.
    expect(story.take({ kind: "moved", atMs: 2, failed: 0 }).phase).toEqual({ kind: "moving", step: 1 });
    const later = new Story([hold, shift]);
    later.freeze = weekend;
    later.begin().take({ ...promote, full: false, despiteFreeze: true, reason: "the shop is down" });
    expect(later.phase).toEqual({ kind: "moving", step: 1 });
    later.freeze = { untilMs: 200 * hourMs, reason: "weekend" };
    later.take({ kind: "moveFailed", atMs: 3, reason: "no proof" });
    later.take({ kind: "retry", actor: "bob", atMs: 170 * hourMs, reason: null });
    expect(later.phase.kind).toBe("frozen");
  });

  test("does not hold back a shift that gives the new version less", () => {
    const less = { before: { blue: 50, green: 50 }, after: { blue: 90, green: 10 } };
    const story = new Story([weightStep(less), weightStep({ before: less.after, after: less.before })], {
      to: "green",
    });
    story.freeze = weekend;
    expect(story.begin().phase).toEqual({ kind: "moving", step: 0 });
    expect(story.take({ kind: "moved", atMs: 1, failed: 0 }).phase).toMatchObject({ kind: "frozen", step: 1 });
  });
});

interface Shares {
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
}

function weightStep({ before, after }: Shares): PlannedStep {
  const change = {
    split: "web",
    rule: 0,
    ruleName: undefined,
    role: "public",
    declared: before,
    before,
    after,
  } as const;
  const versions = ["blue", "green"].map((name) => ({ name, destinations: [name] }));
  const named = { verb: "shift", virtualService: "shop/web", from: "blue", to: "green" } as const;
  const move = { ...named, changes: [change], stays: [], versions, actor: "ann", reason: undefined };
  return { kind: "weight", moves: [move] };
}

describe("the longest time", () => {
  const back = { maxDuration: { durationMs: hourMs, action: "rollback" } } as const;
  const stop = { maxDuration: { durationMs: hourMs, action: "pause" } } as const;
  const late: ReleaseEvent = { kind: "overdue", atMs: hourMs };
  const why = "it took longer than 1 h, which is the longest that it may take";

  test.each([
    ["a hold", [{ kind: "hold", durationMs: undefined } as const, shift]],
    ["an approval", [ask(), shift]],
  ])("takes a release back from %s, a pause within it too", (_, steps) => {
    const way = { kind: "rollingBack", step: 0, actor: "kirikae", reason: why };
    expect(new Story(steps, back).begin().take(late).phase).toMatchObject(way);
    expect(new Story(steps, back).begin().take(tell("pause", 5)).take(late).phase).toMatchObject(way);
  });

  test("stops it where that was agreed, once", () => {
    const story = new Story([ask({ people: 1 }), shift], stop).begin().take(late);
    expect(story.phase).toEqual({ kind: "paused", step: 0, within: { kind: "approve", approvals: [] }, reason: why });
    expect(story.refusal({ ...late, atMs: 2 * hourMs })).toBe("no limit of its time is running");
    story
      .take(tell("resume", hourMs + 1))
      .take(yes("bob", hourMs + 2))
      .take({ kind: "moved", atMs: hourMs + 3, failed: 0 });
    expect(story.phase).toEqual({ kind: "done" });
  });

  test("waits for weights that move, and acts right after", () => {
    const moved: ReleaseEvent = { kind: "moved", atMs: hourMs + 1, failed: 0 };
    expect(new Story([shift, hold], back).begin().take(late).phase).toEqual({ kind: "moving", step: 0 });
    expect(new Story([shift, hold], back).begin().take(late).take(moved).phase).toMatchObject({ kind: "rollingBack" });
    expect(new Story([shift, hold], stop).begin().take(late).take(moved).phase).toMatchObject({
      kind: "paused",
      step: 1,
      within: null,
      reason: why,
    });
    const failed: ReleaseEvent = { kind: "moveFailed", atMs: hourMs + 1, reason: "no proof" };
    expect(new Story([shift, hold], back).begin().take(late).take(failed).phase).toMatchObject({ kind: "rollingBack" });
    // What ends with that move is done.
    expect(new Story([shift], back).begin().take(late).take(moved).phase).toEqual({ kind: "done" });
  });

  test("is counted from the start by the clock of the event, and does not end a way back", () => {
    const story = new Story([hold, shift], back).begin();
    expect(story.refusal({ kind: "overdue", atMs: hourMs - 1 })).toBe("its time is not over");
    story.take(tell("rollback", 5));
    expect(story.refusal(late)).toBe("no limit of its time is running");
    expect(new Story([hold], {}).begin().refusal(late)).toBe("no limit of its time is running");
  });
});

test("a way back that is tried again still says what it is for", () => {
  const story = new Story([shift, hold], { maxFailed: 0 }).begin().take({ kind: "moved", atMs: 1, failed: 3 });
  for (const atMs of [2, 3, 4, 5]) story.take({ kind: "moveFailed", atMs, reason: "no proxy" });
  expect(story.phase).toMatchObject({ kind: "failed", during: "wayBack", reason: "no proxy" });
  story.take({ kind: "retry", actor: "bob", atMs: 6, reason: null });
  expect(story.phase).toMatchObject({ reason: "3 requests failed while weights moved, and 0 may" });
});
