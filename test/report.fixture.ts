import { bareSpec } from "./release-spec.fixture.ts";
import { expandStrategy } from "../src/core/release/plan/expand-strategy.ts";
import { advanceRelease, unstarted } from "../src/core/release/state/advance-release.ts";
import type { ReleaseSpec, ReleaseStep } from "../src/core/manifest/release.ts";
import { planRelease, type ReleasePlan } from "../src/core/release/plan/plan-release.ts";
import type { ReleaseEvent } from "../src/core/release/state/release-state.ts";
import type { RecordedMove } from "../src/core/release/report/describe-stage.ts";
import { buildReport } from "../src/core/release/report/build-report.ts";
import type { ReleaseReport } from "../src/core/release/report/release-report.ts";
import {
  beginSpan,
  type CountsByVersion,
  extendSpan,
  type TrafficSpan,
} from "../src/core/release/report/traffic-span.ts";
import { plainCheck } from "./check.fixture.ts";
import { sketchTable } from "./route-table.fixture.ts";

export const startMs = Date.parse("2026-01-01T10:00:00.000Z");

const table = sketchTable([
  { name: "shop/web", rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] },
]);

export const check: ReleaseStep = {
  kind: "check",
  ...plainCheck,
  durationMs: 30_000,
  minSuccessPercent: 99,
  comparesWithLive: true,
};
export const approve: ReleaseStep = {
  kind: "approve",
  people: 1,
  question: "Do the figures look right?",
  expiresMs: undefined,
  letsStarterApprove: true,
};

/** A release of `web` in these steps. */
export function planSteps(steps: readonly ReleaseStep[]): ReleasePlan {
  const spec: ReleaseSpec = { ...bareSpec, strategy: { kind: "steps", steps } };
  const release = { metadata: { namespace: "shop", name: "to-green" }, spec };
  const planning = planRelease({ table, current: new Map(), release, actor: "ann" });
  if (planning.kind === "refused") throw planning.error;
  if (expandStrategy(spec).length !== planning.plan.steps.length) throw new Error("A step has no plan.");
  return planning.plan;
}

/** Without the time, which the story knows. */
export type Told = ReleaseEvent extends infer Event ? (Event extends unknown ? Omit<Event, "atMs"> : never) : never;

/** The life of a release, told event by event, with the traffic between them. */
export class ReleaseStory {
  readonly plan: ReleasePlan;
  atMs = startMs;
  state = unstarted;
  readonly events: ReleaseEvent[] = [];
  readonly traffic: (TrafficSpan | undefined)[] = [];
  readonly moves = new Map<string, RecordedMove>();
  #counted: CountsByVersion = { blue: { requests: 5_000, errors: 3 }, green: { requests: 70, errors: 0 } };
  #span = beginSpan(startMs, { proxies: "1", versions: this.#counted });

  constructor(plan: ReleasePlan) {
    this.plan = plan;
  }

  /** Lets so many seconds pass, in each of which so many requests are answered. */
  pass(seconds: number, perSecond: Readonly<Record<string, readonly [requests: number, errors: number]>>): this {
    for (let second = 0; second < seconds; second += 1) {
      this.atMs += 1_000;
      const grown = Object.entries(this.#counted).map(([name, { requests, errors }]) => {
        const [more = 0, bad = 0] = perSecond[name] ?? [];
        return [name, { requests: requests + more, errors: errors + bad }] as const;
      });
      this.#counted = Object.fromEntries(grown);
      this.#look("1");
    }
    return this;
  }

  /** A proxy ends and counts anew. */
  restart(): this {
    this.#counted = { blue: { requests: 0, errors: 0 }, green: { requests: 0, errors: 0 } };
    this.atMs += 1_000;
    this.#look("2");
    return this;
  }

  /** False where the release cannot take it. */
  tell(event: Told): boolean {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `Told` left out is put back.
    const told = { ...event, atMs: this.atMs } as ReleaseEvent;
    const advanced = advanceRelease(this.plan, this.state, told);
    if (advanced.kind === "notNow") return false;
    this.state = advanced.state;
    this.events.push(told);
    this.traffic.push(this.#span);
    this.#span = beginSpan(this.#span.untilMs, this.#span.mark);
    return true;
  }

  report(more: Partial<Parameters<typeof buildReport>[0]> = {}): ReleaseReport {
    const { plan, state, events, traffic } = this;
    const startedAt = new Date(startMs).toISOString();
    return buildReport({
      release: { id: "r1", plan, startedAt, actor: "ann", reason: "week 1", state, events, traffic },
      findMove: (id) => this.moves.get(id),
      now: { atMs: this.atMs, traffic: this.#span },
      ...more,
    });
  }

  #look(proxies: string): void {
    this.#span = extendSpan(this.#span, this.atMs, { proxies, versions: this.#counted });
  }
}

/** What the journal has of a move that was proved. */
export function recordMove(provedAtMs: number, byVersion: Readonly<Record<string, number>>, bad = 0): RecordedMove {
  const requests = Object.values(byVersion).reduce((sum, count) => sum + count, 0);
  return {
    before: { blue: 100 },
    after: { blue: 90, green: 10 },
    ledger: {
      requests,
      ok: requests - bad,
      failed: bad,
      byVersion,
      failedByVersion: { blue: 0, green: bad },
      lastOldMs: null,
      oldAfterDone: 0,
      clientGone: 0,
      failures: [],
      isComplete: true,
    },
    proof: {
      provedAt: new Date(provedAtMs).toISOString(),
      callToProofMs: 2.5,
      proxies: [{ node: "gateway", ackMs: 1.5, workersMs: 2.5 }],
    },
  };
}

/** A canary whose second share is bad, and which its check takes back. */
export function tellOfBadCanary(): ReleaseStory {
  const story = new ReleaseStory(
    planSteps([
      { kind: "weight", shares: 10 },
      check,
      approve,
      { kind: "weight", shares: 50 },
      check,
      { kind: "switch" },
    ]),
  );
  story.tell({ kind: "start" });
  story.pass(1, { blue: [100, 0] });
  story.moves.set("m3", recordMove(story.atMs - 500, { blue: 80, green: 6 }));
  story.tell({ kind: "moved", failed: 0, move: "m3" });
  story.pass(30, { blue: [90, 0], green: [10, 0] });
  story.tell({
    kind: "judged",
    verdict: "pass",
    detail: "100 % of 300 answers of the new version were good",
    results: [
      {
        kind: "figures",
        verdict: "pass",
        detail: "good",
        fresh: { requests: 300, errors: 0, latency: [{ percentile: 99, ms: 12 }], ejections: null },
        live: { requests: 2_700, errors: 0, latency: [{ percentile: 99, ms: 14 }], ejections: null },
      },
      {
        kind: "judge",
        name: "checkout",
        isDryRun: true,
        verdict: "pass",
        asked: 3,
        passed: 3,
        failed: 0,
        inconclusive: 0,
        detail: "0.99 is > 0.9",
      },
    ],
  });
  story.pass(5, { blue: [90, 0], green: [10, 0] });
  story.tell({ kind: "approve", actor: "bob", reason: "looked at <b>all</b> of it | *twice*" });
  story.pass(1, { blue: [70, 0], green: [30, 0] });
  story.moves.set("m8", recordMove(story.atMs - 500, { blue: 60, green: 40 }));
  story.tell({ kind: "moved", failed: 0, move: "m8" });
  story.pass(4, { blue: [50, 0], green: [50, 0] });
  story.pass(3, { blue: [50, 0], green: [50, 20] });
  story.tell({ kind: "judged", verdict: "fail", detail: "82.85 % of 350 answers of the new version were good" });
  story.tell({ kind: "turned", was: {}, gives: {} });
  story.pass(1, { blue: [90, 0], green: [10, 4] });
  story.moves.set("m12", recordMove(story.atMs - 990, { blue: 90, green: 10 }, 4));
  story.tell({ kind: "moved", failed: 4, move: "m12" });
  return story;
}
