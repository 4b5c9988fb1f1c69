import { array, assert, boolean, constantFrom, integer, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { sketchTable } from "../../test/route-table.fixture.ts";
import { parseManifests } from "../core/manifest/parse-manifests.ts";
import { advanceRelease, unstarted } from "../core/release/state/advance-release.ts";
import { movedDestinations } from "../core/release/plan/moved-destinations.ts";
import type { MovePlan } from "../core/release/move/move.ts";
import { planRelease, type ReleasePlan } from "../core/release/plan/plan-release.ts";
import { isBetweenMoves, isMoving, stepOf } from "../core/release/state/release-phase.ts";
import type { ReleaseCommand, ReleaseEffect, ReleaseEvent, ReleaseState } from "../core/release/state/release-state.ts";
import { gainingDestinations, isSameShare, totalWeight } from "../core/release/move/split-weights.ts";
import { weightsOfChanges } from "../core/release/move/weights-by-split.ts";
import type { DestinationId, SplitWeights } from "../core/routes/route-table.ts";
import { pendingEffect } from "../engine/pending-effect.ts";
import { createReleaseMoves } from "./release-moves.ts";

const table = sketchTable([
  {
    name: "shop/web",
    rules: [
      { name: "preview", header: "x-version: green", arms: { "app/green": 100 }, idle: ["app/blue"] },
      { name: "public", arms: { "app/blue": 90, "app/red": 10 }, idle: ["app/green"] },
    ],
  },
  { name: "shop/api", rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] },
]);

function planned(): ReleasePlan {
  const strategy = "{steps: [{weight: 10}, {hold: {}}, {weight: 50}, {hold: {}}, {weight: {green: 100}}]}";
  const spec = `{routes: [{virtualService: web}, {virtualService: api}], to: green, strategy: ${strategy}}`;
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const [release] = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "default" }).manifests;
  if (release?.kind !== "Release") throw new Error("No Release was read.");
  const planning = planRelease({ table, current: new Map(), release, actor: "ann" });
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

const plan = planned();
const before = new Map(
  plan.steps
    .flatMap((step) =>
      "moves" in step
        ? step.moves.flatMap(({ changes }) => changes.map((change) => [change.split, change.before]))
        : [],
    )
    .toReversed() as [string, SplitWeights][],
);

type Ready = Readonly<Record<string, number>>;

/** A release on weights in memory, whose effects are carried out at once, and whose process may die after any of them. */
class World {
  state: ReleaseState = unstarted;
  current: ReadonlyMap<string, SplitWeights> = new Map(before);
  ready: Ready = { blue: 4, green: 4, red: 4 };
  /** What was live when the way back began that can be undone now. */
  undone: ReadonlyMap<string, SplitWeights> | undefined;
  atMs = 0;
  readonly #moves = createReleaseMoves({
    live: () => ({ table, current: this.current }),
    readyEndpoints: (ids) => Object.fromEntries([...ids].map((id) => [id, this.readyOf(id)])),
  });

  readyOf(id: DestinationId): number {
    return this.ready[id.split("|")[2] ?? ""] ?? 0;
  }

  start(): void {
    this.#take({ kind: "start", atMs: 0, ready: this.#moves.readyEndpoints(movedDestinations(plan)) });
  }

  tell(command: ReleaseCommand): void {
    const { phase, back } = this.state;
    if (command.kind === "rollback" && !isMoving(phase)) {
      expect(this.#moves.findConflict({ plan, state: this.state })?.message).toBeUndefined();
    }
    const live = this.current;
    this.#take({ ...command, actor: "ann", reason: null, atMs: this.atMs });
    if (back === undefined && this.state.back !== undefined) this.undone = live;
  }

  /** What goes on by itself when time goes by, or in the next process. */
  goOn(): void {
    const effect = pendingEffect({ plan, state: this.state });
    if (effect !== undefined) this.#carryOut(effect);
  }

  diesAfterMove = false;

  #take(event: ReleaseEvent): void {
    this.atMs += 1;
    const advanced = advanceRelease(plan, this.state, event);
    if (advanced.kind === "notNow") return;
    const { phase } = this.state;
    this.state = advanced.state;
    this.#check(phase.kind);
    // A way back that waits looks again when time goes by.
    if (advanced.effect !== undefined && event.kind !== "partlyBack") this.#carryOut(advanced.effect);
  }

  #check(from: ReleaseState["phase"]["kind"]): void {
    const { phase } = this.state;
    if (isBetweenMoves(phase)) {
      expect(this.#moves.findOverruling({ plan, state: this.state }, stepOf(phase))).toBeUndefined();
    }
    if (phase.kind === "rolledBack" && from === "rollingBack") this.#expectLive(before);
    if (from === "redoing" && phase.kind !== "rolledBack") this.#expectLive(this.undone ?? before);
  }

  #expectLive(wanted: ReadonlyMap<string, SplitWeights>): void {
    for (const [split, weights] of wanted) expect(isSameShare(this.current.get(split) ?? {}, weights)).toBe(true);
  }

  #carryOut(effect: ReleaseEffect): void {
    const release = { plan, state: this.state };
    switch (effect.kind) {
      case "moveForward":
        return this.#move(
          () => this.#moves.planStep(release, effect.step),
          () => ({}),
        );
      case "setWeights":
        return this.#set(effect);
      case "redo":
        return this.#move(
          () => this.#moves.planRedo(release, effect.actor),
          () => ({}),
        );
      case "moveBack":
        return this.#goBack();
      case "layAdditions":
      case "editSubsets":
      case "judge":
      case "wakeAt":
    }
  }

  #set(effect: Extract<ReleaseEffect, { kind: "setWeights" }>): void {
    const { move, left } = this.#moves.planSet({ plan, state: this.state }, effect);
    this.#move(
      () => move,
      () => ({ left }),
    );
  }

  #move(build: () => MovePlan | undefined, more: (move: MovePlan | undefined) => object): void {
    const move = build();
    if (move !== undefined && !this.#canTake(move)) {
      return this.#take({ kind: "moveFailed", atMs: this.atMs, reason: "nobody is ready" });
    }
    if (move !== undefined) this.#apply(move);
    if (!this.#dies()) this.#take({ kind: "moved", atMs: this.atMs, failed: 0, ...more(move) });
  }

  #goBack(): void {
    const { phase } = this.state;
    if (phase.kind !== "rollingBack") throw new Error(`It is ${phase.kind}.`);
    const { move, waits, was } = this.#moves.planReturn({ plan, state: this.state }, phase);
    if (move !== undefined || waits.length === 0) {
      const gives = weightsOfChanges(move?.changes ?? [], "after");
      this.#take({ kind: "turned", atMs: this.atMs, was, gives });
    }
    if (move !== undefined) {
      if (phase.isNow !== true) expect(this.#canTake(move)).toBe(true);
      this.#apply(move);
    }
    if (this.#dies()) return;
    const left = weightsOfChanges(move?.changes ?? [], "after");
    this.#take(
      waits.length === 0
        ? { kind: "moved", atMs: this.atMs, failed: 0 }
        : { kind: "partlyBack", atMs: this.atMs, failed: 0, left, waits },
    );
  }

  #dies(): boolean {
    const dies = this.diesAfterMove;
    this.diesAfterMove = false;
    return dies;
  }

  /** Nobody who gets more is without a ready endpoint, unless those who lose have none either. */
  #canTake({ changes }: MovePlan): boolean {
    return changes.every(({ before: had, after }) =>
      gainingDestinations(had, after).every((destination) => this.readyOf(destination) > 0),
    );
  }

  #apply({ changes }: MovePlan): void {
    for (const { split, before: had, after } of changes) {
      expect(isSameShare(this.current.get(split) ?? {}, had)).toBe(true);
      expect(totalWeight(after)).toBeGreaterThan(0);
    }
    this.current = new Map([...this.current, ...changes.map(({ split, after }) => [split, after] as const)]);
  }
}

const count = integer({ min: 0, max: 4 });
const happening = oneof(
  { weight: 3, arbitrary: constantFrom("rollback" as const, "now" as const, "promote" as const) },
  { weight: 2, arbitrary: constantFrom("goOn" as const, "retry" as const, "resume" as const, "abort" as const) },
  { weight: 2, arbitrary: record({ set: integer({ min: 0, max: 100 }) }) },
  { weight: 2, arbitrary: record({ blue: count, green: count, red: count }) },
  { weight: 1, arbitrary: record({ dies: boolean() }) },
);

function happen(world: World, what: string): void {
  if (what === "goOn") return world.goOn();
  if (what === "now") return world.tell({ kind: "rollback", now: true });
  if (what === "promote") return world.tell({ kind: "promote", full: false });
  if (what === "rollback" || what === "retry" || what === "resume" || what === "abort")
    return world.tell({ kind: what });
}

test(
  "whatever is undone, redone, set by hand and short of endpoints, in any order, is live as it was recorded",
  { timeout: 60_000 },
  () => {
    const reached = new Set<string>();
    assert(
      property(array(happening, { maxLength: 40 }), (happenings) => {
        const world = new World();
        world.start();
        for (const what of happenings) {
          if (typeof what === "string") happen(world, what);
          else if ("set" in what) world.tell({ kind: "set", shares: what.set });
          else if ("dies" in what) world.diesAfterMove = what.dies;
          else world.ready = what;
          const { phase } = world.state;
          reached.add(phase.kind === "rollingBack" && phase.waits !== undefined ? "waiting" : phase.kind);
        }
        // Whatever is under way comes to its end once everybody is there.
        world.ready = { blue: 4, green: 4, red: 4 };
        world.diesAfterMove = false;
        for (let turn = 0; turn < 4; turn += 1) world.goOn();
        expect(["holding", "paused", "failed", "done", "aborted", "rolledBack"]).toContain(world.state.phase.kind);
      }),
      { numRuns: 2_000 },
    );
    expect([...reached]).toEqual(
      expect.arrayContaining(["waiting", "redoing", "setting", "rolledBack", "done", "paused"]),
    );
  },
);

test("a last step that a dead process has moved, the testers' rule included, is known as moved by the next", () => {
  const world = new World();
  world.start();
  world.tell({ kind: "promote", full: false });
  world.diesAfterMove = true;
  world.tell({ kind: "promote", full: false });
  expect(world.state.phase).toEqual({ kind: "moving", step: 4 });
  world.goOn();
  expect(world.state.phase).toEqual({ kind: "done" });
});

test("a way back whose process dies in it goes on, whatever endpoints come and go", () => {
  const world = new World();
  world.start();
  world.ready = { blue: 1, green: 1, red: 0 };
  world.tell({ kind: "set", shares: 76 });
  world.diesAfterMove = true;
  world.tell({ kind: "rollback" });
  world.ready = { blue: 0, green: 0, red: 1 };
  world.goOn();
  expect(world.state.phase).toMatchObject({ kind: "rollingBack" });
  world.ready = { blue: 4, green: 4, red: 4 };
  world.goOn();
  world.goOn();
  expect(world.state.phase).toMatchObject({ kind: "rolledBack" });
});

test("weights that a dead process has set go back whole, the testers' rule included", () => {
  const world = new World();
  world.start();
  world.diesAfterMove = true;
  world.tell({ kind: "set", shares: 100 });
  world.goOn();
  expect(Object.keys(world.state.hand?.weights ?? {}).toSorted()).toEqual([...before.keys()].toSorted());
  world.tell({ kind: "rollback" });
  expect(world.state.phase.kind).toBe("rolledBack");
  for (const [split, weights] of before) expect(isSameShare(world.current.get(split) ?? {}, weights)).toBe(true);
});
