import { expect, test } from "vitest";
import { sketchTable, sketchWeights } from "../../../../test/route-table.fixture.ts";
import { describeServices, describeServicesOf } from "./describe-services.ts";

const table = sketchTable([
  { name: "ns/one", rules: [{ arms: { "one/blue": 1 }, idle: ["one/green"] }] },
  { name: "ns/two", rules: [{ name: "live", arms: { "two/blue": 1 }, idle: ["two/green"] }] },
]);
const moved = new Map([["ns/two/live", sketchWeights({ "two/green": 1 }, "ns")]]);

test("a service is described again only after its weights changed", () => {
  const before = describeServices(table, new Map());
  expect(describeServices(table, new Map()).map((each, index) => each === before[index])).toEqual([true, true]);
  const after = describeServices(table, moved);
  expect(after.map((each, index) => each === before[index])).toEqual([true, false]);
  expect(after.map(({ live }) => live)).toEqual(["blue", "green"]);
  expect(describeServices(table, new Map()).map(({ live }) => live)).toEqual(["blue", "blue"]);
});

test("services are found by where they can send", () => {
  const destinations = Object.keys(sketchWeights({ "two/green": 1, "nowhere/blue": 1 }, "ns"));
  const found = describeServicesOf(table, { current: moved, destinations });
  expect(found.map(({ virtualService, live }) => `${virtualService} ${live}`)).toEqual(["ns/two green"]);
});
