import { describe, expect, test } from "vitest";
import { advance, listTransitions, type MoveEffect, type MovePhase, renderTransitions } from "./advance.ts";

const ends: readonly MovePhase[] = ["done", "unproved", "refused", "restored", "stuck"];

/** Every way through the table from a phase, as the effects on it. */
function walk(from: MovePhase, seen: readonly MovePhase[] = []): readonly (readonly MoveEffect[])[] {
  if (ends.includes(from)) return [[]];
  if (seen.includes(from)) throw new Error(`The table has a cycle through ${from}.`);
  return listTransitions()
    .filter((transition) => transition.from === from)
    .flatMap(({ to, effects }) => walk(to, [...seen, from]).map((rest) => [...effects, ...rest]));
}

describe("the table of transitions", () => {
  const ways = [...walk("planned"), ...walk("found"), ...walk("foundRestoring")];

  test("ends on every way, by a record", () => {
    const last = new Set(ways.map((way) => way.at(-1)));
    expect([...last].map(String).toSorted()).toEqual([
      "recordDone",
      "recordRefused",
      "recordRestored",
      "recordStuck",
      "recordTurnedAway",
      "recordUnproved",
    ]);
  });

  test("writes down each apply before it is done", () => {
    const steps = [...walk("planned"), ...walk("found")].flatMap((way) =>
      way.map((effect, index) => ({ effect, before: way[index - 1] })),
    );
    const applies = steps.filter(({ effect }) => effect === "applyAfter" || effect === "applyBefore");
    const records = new Set(applies.map(({ effect, before }) => `${before} ${effect}`));
    expect([...records].toSorted()).toEqual(["recordIntent applyAfter", "recordRestoring applyBefore"]);
  });

  test("says done only after proof, observation and a clean ledger", () => {
    const done = walk("planned").filter((way) => way.includes("recordDone"));
    expect(done).toEqual([
      ["preflight", "openLedger", "recordIntent", "applyAfter", "observeAfter", "count", "closeLedger", "recordDone"],
    ]);
  });

  test("never leaves an apply without a look at the proxies, unless it has changed nothing", () => {
    const unseen = ways.filter(
      (way) => way.includes("applyAfter") && !way.includes("observeAfter") && !way.includes("applyBefore"),
    );
    expect(unseen).toEqual([
      ["preflight", "openLedger", "recordIntent", "applyAfter", "closeLedger", "recordTurnedAway"],
    ]);
    const believed = ways.filter((way) => way.includes("applyBefore") && way.includes("recordRestored"));
    expect(believed.length).toBeGreaterThan(0);
    expect(believed.every((way) => way.includes("observeBefore"))).toBe(true);
  });

  test("keeps the first reason", () => {
    const failed = advance({ phase: "applying", reason: undefined }, { kind: "failed", reason: "refused" });
    expect(failed).toEqual({ state: { phase: "announcing", reason: "refused" }, effects: ["recordRestoring"] });
    const restoring = advance({ phase: "restoring", reason: "refused" }, { kind: "failed", reason: "late" });
    expect(restoring.state).toEqual({ phase: "givingUp", reason: "refused" });
  });

  test("knows no event that a phase does not have", () => {
    expect(() => advance({ phase: "done", reason: undefined }, { kind: "start" })).toThrow("A move that is done");
  });

  test("renders as a diagram with every phase", () => {
    const diagram = renderTransitions();
    expect(diagram.split("\n")[0]).toBe("stateDiagram-v2");
    expect(diagram).toContain("  intending --> applying: recorded / applyAfter");
    for (const end of ends) expect(diagram).toContain(`  ${end} --> [*]`);
  });
});
