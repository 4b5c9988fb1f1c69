import { expect, test } from "vitest";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import type { WeightOverrides } from "../routes/route-table.ts";
import { buildMovableRules } from "./movable-rules.ts";
import { planMove } from "./plan-move.ts";
import { repeatStep } from "./repeat-step.ts";

const table = sketchTable([
  {
    name: "shop/web",
    rules: [
      { name: "preview", header: "x-version: green", arms: { "app/green": 100 }, idle: ["app/blue"] },
      { name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] },
    ],
  },
]);

const planning = planMove({
  table,
  current: new Map(),
  request: {
    verb: "switch",
    name: "web",
    namespace: "shop",
    route: undefined,
    to: { green: 100 },
    actor: "ann",
    reason: undefined,
  },
});
if (planning.kind === "refused") throw planning.error;
const { plan } = planning;

function rulesWith(current: WeightOverrides): ReturnType<typeof buildMovableRules> {
  return buildMovableRules(table, { current, services: new Set(["shop/web"]) });
}

test("a step that is live already is the agreed one again, the rule of testers included", () => {
  const after = new Map(plan.changes.map(({ split, after: weights }) => [split, weights]));
  const repeated = repeatStep([plan], rulesWith(after));
  expect(repeated?.changes.map(({ split }) => split)).toEqual(["shop/web/preview", "shop/web/public"]);
  for (const { before, after: weights } of repeated?.changes ?? []) expect(before).toEqual(weights);
});

test("a step that one rule has not taken is planned from its words", () => {
  expect(repeatStep([plan], rulesWith(new Map()))).toBeUndefined();
  const [first] = plan.changes;
  expect(repeatStep([plan], rulesWith(new Map(first && [[first.split, first.after]])))).toBeUndefined();
  expect(repeatStep([], new Map())).toBeUndefined();
});
