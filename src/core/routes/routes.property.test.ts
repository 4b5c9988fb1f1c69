import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { routeCases } from "../../../test/arbitrary/route-case.ts";
import { tableOf } from "../../../test/arbitrary/table-of.ts";
import { blocksServing } from "../diagnostics/diagnostic.ts";
import { explain } from "./explain.ts";
import { normalizeTarget } from "./request-path.ts";
import { simulate } from "./simulate.ts";
import { splitsOf, withWeights } from "./weights.ts";

const cases = routeCases({ requests: 24, connections: 0 });

describe("any mesh and request", { timeout: 60_000 }, () => {
  it("is served and explained without an exception", () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(cases, ({ yaml, requests }) => {
        const { table, diagnostics } = tableOf(yaml);
        expect(diagnostics.filter(blocksServing)).toEqual([]);
        for (const request of requests) {
          const explanation = explain(table, request, { endpoints: () => [] });
          outcomes.add(explanation.outcome);
          expect(explanation.steps.length).toBeGreaterThan(0);
          const sum = explanation.arms.reduce((total, arm) => total + arm.weightPercent, 0);
          expect(sum).toBeCloseTo(explanation.outcome === "route" ? 100 : 0, 1);
        }
      }),
      { numRuns: 100 },
    );
    expect([...outcomes].toSorted()).toEqual(["direct", "miss", "redirect", "route"]);
  });

  it("is decided by the step that was taken last, and every earlier route has a reason against it", () => {
    fc.assert(
      fc.property(cases, ({ yaml, requests }) => {
        const { table } = tableOf(yaml);
        for (const request of requests) {
          const { result, steps } = simulate(table, request);
          const tried = steps.filter((step) => step.tried === "route");
          expect(tried.slice(0, -1).every((step) => !step.taken)).toBe(true);
          const route = result.kind === "route" || result.kind === "direct" ? result.route : undefined;
          expect(route === undefined || tried.at(-1)?.at?.line === route.origin.at.line).toBe(true);
          expect(tried.at(-1)?.taken ?? false).toBe(!["miss", "rejected"].includes(result.kind));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keeps virtual hosts that a change of weights does not touch", () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ yaml }, pick) => {
        const { table } = tableOf(yaml);
        const splits = [...splitsOf(table).values()].filter(({ arms }) => arms.length > 1);
        const chosen = splits[pick % Math.max(1, splits.length)];
        if (chosen === undefined) {
          return;
        }
        const weights = Object.fromEntries(chosen.arms.map((arm, index) => [arm.destination, index + 1]));
        const moved = withWeights(table, new Map([[chosen.id, weights]]));
        for (const [at, routing] of table.httpRoutings.entries()) {
          for (const [index, host] of routing.virtualHosts.entries()) {
            const other = moved.httpRoutings[at]?.virtualHosts[index];
            const hasChosen = host.routes.some(
              ({ action }) => action.kind === "forward" && action.split.id === chosen.id,
            );
            expect(hasChosen || other === host).toBe(true);
          }
        }
        expect(
          splitsOf(moved)
            .get(chosen.id)
            ?.arms.map((arm) => arm.weight),
        ).toEqual(chosen.arms.map((_arm, index) => index + 1));
      }),
      { numRuns: 100 },
    );
  });
});

describe("any text", () => {
  it("is a target, normalized once for all, or refused", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("/", ".", "%", "2", "e", "E", "a", "\\", ";", "?", "~") }),
        (text) => {
          const once = normalizeTarget(`/${text}`);
          expect(once?.path.startsWith("/")).toBe(true);
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => normalizeTarget(text) === undefined || text.startsWith("/")));
  });
});
