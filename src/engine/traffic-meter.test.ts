import { beforeEach, describe, expect, test } from "vitest";
import { unstarted } from "../core/release/state/advance-release.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import type { ReleasePlan } from "../core/release/plan/plan-release.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";
import type { TrafficSpan } from "../core/release/report/traffic-span.ts";
import type { StoredRelease } from "./fold-releases.ts";
import { TrafficMeter } from "./traffic-meter.ts";

const startedAt = "2026-01-01T00:00:00.000Z";
const startMs = Date.parse(startedAt);

const move = {
  to: "green",
  versions: [
    { name: "blue", destinations: ["b1", "b2"] },
    { name: "green", destinations: ["g"] },
  ],
} as unknown as MovePlan;
// What a meter reads of a plan.
const plan = { to: "green", steps: [{ kind: "switch", moves: [move] }] } as unknown as ReleasePlan;

/** One release as the journal has it, with the events that are written to it. */
class Written {
  release: StoredRelease = {
    id: "r1",
    plan,
    startedAt,
    actor: "ann",
    reason: null,
    state: unstarted,
    events: [],
    traffic: [],
  };

  write(atSeconds: number, traffic: TrafficSpan | undefined, phase?: "done"): StoredRelease {
    const event: ReleaseEvent = { kind: "timeUp", atMs: startMs + 1_000 * atSeconds };
    const { state, events } = this.release;
    this.release = {
      ...this.release,
      state: phase === undefined ? state : { ...state, phase: { kind: phase } },
      events: [...events, event],
      traffic: [...this.release.traffic, traffic],
    };
    return this.release;
  }
}

let meter: TrafficMeter;
let written: Written;

beforeEach(() => {
  meter = new TrafficMeter();
  written = new Written();
});

function look(atSeconds: number, [b1, b2, g]: readonly [number, number, number], proxies = "gateway 1"): void {
  const atMs = startMs + 1_000 * atSeconds;
  const counts = Object.entries({ b1, b2, g }).filter(([, requests]) => requests > 0);
  const counters = new Map(counts.map(([id, requests]) => [id, { requests, errors: id === "g" ? 1 : 0 }]));
  meter.add({ askedMs: atMs - 5, answeredMs: atMs + 5, proxies, counters });
}

function event(atSeconds: number, phase?: "done"): TrafficSpan | undefined {
  const span = meter.read("r1");
  meter.follow(written.write(atSeconds, span, phase));
  return span;
}

describe("a meter of releases", () => {
  test("counts from event to event, and every answer once", () => {
    look(-1, [100, 10, 5]);
    meter.follow(written.release);
    expect(event(0)).toMatchObject({ isComplete: true, versions: { blue: { requests: 0 } } });
    look(1, [150, 20, 6]);
    look(2, [160, 20, 9]);
    expect(event(2.5)).toMatchObject({
      fromMs: startMs - 1_000,
      untilMs: startMs + 2_000,
      isComplete: true,
      versions: { blue: { requests: 70, errors: 0 }, green: { requests: 4, errors: 0 } },
    });
    look(3, [161, 20, 9]);
    expect(event(3)).toMatchObject({
      fromMs: startMs + 2_000,
      versions: { blue: { requests: 1 }, green: { requests: 0 } },
    });
  });

  test("goes on where another process has ended, as long as the proxies went on", () => {
    look(0, [100, 0, 0]);
    meter.follow(written.release);
    event(0);
    meter = new TrafficMeter();
    meter.follow(written.release);
    look(600, [700, 0, 40]);
    expect(event(601)).toMatchObject({
      isComplete: true,
      versions: { blue: { requests: 600 }, green: { requests: 40 } },
      points: { lengthsMs: [600_000] },
    });
  });

  test("says that answers are missing where other proxies count by then", () => {
    look(0, [100, 0, 0]);
    meter.follow(written.release);
    event(0);
    meter = new TrafficMeter();
    meter.follow(written.release);
    look(600, [700, 0, 40], "gateway 2");
    expect(event(601)).toMatchObject({ isComplete: false, versions: { blue: { requests: 700 } } });
  });

  test("says that answers are missing where the first look came late", () => {
    meter.follow(written.release);
    expect(event(0)).toBeUndefined();
    look(7, [1, 0, 0]);
    expect(event(7)).toMatchObject({ isComplete: false });
    look(8, [2, 0, 0]);
    expect(event(12)).toMatchObject({ isComplete: true, untilMs: startMs + 8_000 });
  });

  test("takes no look that overlaps with the one before", () => {
    look(0, [100, 0, 0]);
    meter.follow(written.release);
    look(0.004, [90, 0, 0]);
    look(1, [101, 0, 0]);
    expect(event(1)).toMatchObject({ isComplete: true, versions: { blue: { requests: 1 } } });
  });

  test("does not follow what has ended, and counts anew from when it is taken back", () => {
    look(0, [100, 0, 0]);
    meter.follow(written.release);
    event(0);
    event(1, "done");
    expect(meter.read("r1")).toBeUndefined();
    look(500, [900, 0, 0]);
    written.release = { ...written.release, state: unstarted };
    expect(event(501)).toBeUndefined();
    look(502, [905, 0, 0]);
    expect(event(502)).toMatchObject({ isComplete: true, versions: { blue: { requests: 5 } } });
  });
});
