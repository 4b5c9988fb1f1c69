import { expect, test } from "vitest";
import { sketchTable } from "../../../../test/route-table.fixture.ts";
import { splitsOf } from "../../routes/weights.ts";
import { compareWeights } from "./compare-weights.ts";

const table = sketchTable([
  { name: "shop/web", rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] },
  { name: "shop/api", rules: [{ arms: { "app/blue": 100 }, idle: ["app/green"] }] },
]);
const web = "shop/web/public";
const blue = "outbound|80|blue|app.shop.svc.cluster.local";
const green = "outbound|80|green|app.shop.svc.cluster.local";
const input = {
  table,
  wanted: new Map([[web, { [blue]: 90, [green]: 10 }]]),
  observed: new Map(),
  services: new Set(["shop/web"]),
  splits: new Set(splitsOf(table).keys()),
};

test("shares that are the same are as wanted, whatever their weights add up to", () => {
  const observed = new Map([[web, { [blue]: 9, [green]: 1 }]]);
  expect(compareWeights({ ...input, observed })).toEqual([
    {
      virtualService: "shop/web",
      rule: 0,
      name: "public",
      wanted: { blue: 90, green: 10 },
      observed: { blue: 90, green: 10 },
      isAsWanted: true,
    },
  ]);
});

test("other shares are a difference, and none is not known to be one", () => {
  const observed = new Map([[web, { [blue]: 50, [green]: 50 }]]);
  expect(compareWeights({ ...input, observed })).toMatchObject([
    { observed: { blue: 50, green: 50 }, isAsWanted: false },
  ]);
  expect(compareWeights(input)).toMatchObject([{ observed: null, isAsWanted: null }]);
});

test("rules without one of the splits are left out", () => {
  expect(compareWeights({ ...input, splits: new Set() })).toEqual([]);
});
