import type { MovePlan, MoveRequest } from "../src/core/release/move/move.ts";
import { type MovePlanning, planMove } from "../src/core/release/move/plan-move.ts";
import type { WeightOverrides } from "../src/core/routes/route-table.ts";
import { type RuleSketch, type ServiceSketch, sketchTable } from "./route-table.fixture.ts";

export const ns = "sample-ns";
export const live: RuleSketch = { name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] };
export const preview: RuleSketch = {
  name: "preview",
  header: "x-version: green",
  arms: { "nginx/green": 100 },
  idle: ["nginx/blue"],
};
/** Everybody on blue; who sends `x-version: green`, on green. */
export const scenarioA: readonly ServiceSketch[] = [
  { name: `${ns}/sample-app`, hosts: ["sample.hoge.com"], rules: [preview, live] },
];

/** A request of `sample-app`. */
export function request(
  verb: MoveRequest["verb"],
  to: MoveRequest["to"],
  more: Partial<MoveRequest> = {},
): MoveRequest {
  return {
    verb,
    name: "sample-app",
    namespace: undefined,
    route: undefined,
    to,
    actor: "test",
    reason: undefined,
    ...more,
  };
}

/** Throws the refusal where there is no plan. */
export function expectPlan(planning: MovePlanning): MovePlan {
  if (planning.kind === "refused") throw planning.error;
  return planning.plan;
}

/** The code, and what people read; throws where there is a plan. */
export function expectRefusal(planning: MovePlanning): { code: string; text: string } {
  if (planning.kind === "plan") throw new Error(`Planned ${JSON.stringify(planning.plan.changes)}.`);
  return { code: planning.error.code, text: `${planning.error.message} ${planning.error.hint}` };
}

/** `rule: nginx/green 100` for each change, so that a test reads like the plan that a user sees. */
export function outcome(plan: MovePlan): Record<string, string> {
  return Object.fromEntries(
    plan.changes.map(({ ruleName, rule, after }) => {
      const total = Object.values(after).reduce((sum, weight) => sum + weight, 0);
      const shares = Object.entries(after)
        .filter(([, weight]) => weight > 0)
        .map(([destination, weight]) => {
          const [, , subset = "", host = ""] = destination.split("|");
          return `${subset === "" ? host.split(".")[0] : subset} ${(weight / total) * 100}`;
        });
      return [ruleName ?? String(rule), shares.toSorted().join(", ")];
    }),
  );
}

/** What is live once a plan has been carried out. */
export function currentAfter(plan: MovePlan, current: WeightOverrides = new Map()): WeightOverrides {
  return new Map([...current, ...plan.changes.map(({ split, after }) => [split, after] as const)]);
}

export function planOn(
  services: readonly ServiceSketch[],
  asked: MoveRequest,
  current: WeightOverrides = new Map(),
): MovePlanning {
  return planMove({ table: sketchTable(services), current, request: asked });
}

/** `x-host: blue` leads to blue, whatever is live. */
export function byHeader(version: "blue" | "green"): RuleSketch {
  return {
    name: version,
    header: `x-host: ${version}`,
    arms: { [`nginx/${version}`]: 100 },
    idle: [version === "blue" ? "nginx/green" : "nginx/blue"],
  };
}
