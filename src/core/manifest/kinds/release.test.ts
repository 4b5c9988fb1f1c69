import { describe, expect, test } from "vitest";
import { parseManifests } from "../parse-manifests.ts";

function specOf(spec: string): unknown {
  const text = [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: Release",
    "metadata: {name: to-green, namespace: shop}",
    "spec:",
    ...spec.split("\n").map((line) => `  ${line}`),
  ].join("\n");
  const { manifests, diagnostics } = parseManifests([{ path: "release.yaml", text }], { defaultNamespace: "default" });
  return diagnostics.length > 0 ? diagnostics.map(({ message }) => message) : manifests[0]?.spec;
}

function steps(text: string): unknown {
  return specOf(`routes: [{virtualService: web}]\nto: green\nstrategy:\n  steps:\n    ${text}`);
}

test("a VirtualService is one of the Release's namespace unless it says another", () => {
  expect(
    specOf(
      "routes: [{virtualService: web}, {virtualService: api/front, route: public}]\nto: green\nstrategy: {blueGreen: {}}",
    ),
  ).toMatchObject({
    routes: [
      { namespace: "shop", virtualService: "web", route: undefined },
      { namespace: "api", virtualService: "front", route: "public" },
    ],
    from: undefined,
    to: "green",
    strategy: { kind: "blueGreen", approve: undefined, bake: undefined },
    freezes: [],
    maxDuration: undefined,
    notifications: [],
    maxFailed: undefined,
  });
});

test("every step has a short form and a long one", () => {
  expect(
    steps(
      "[{weight: 10}, {weight: {green: 20, blue: 80}}, {hold: 5m}, {hold: {}}, {approve: {}}, {approve: {people: 2, question: Go?}}, {switch: {}}]",
    ),
  ).toMatchObject({
    strategy: {
      steps: [
        { kind: "weight", shares: 10 },
        { kind: "weight", shares: { green: 20, blue: 80 } },
        { kind: "hold", durationMs: 300_000 },
        { kind: "hold", durationMs: undefined },
        { kind: "approve", people: 1, question: undefined },
        { kind: "approve", people: 2, question: "Go?" },
        { kind: "switch" },
      ],
    },
  });
});

describe("what is refused", () => {
  test.each([
    ["[{}]", "says nothing to do"],
    ["[{weight: 10, hold: 1m}]", "says 2 things at once"],
    ["[{weight: 101}]", "from 0 to 100"],
    ["[{weight: 0.125}]", "at most two decimals"],
    ["[{weight: {green: 60, blue: 41}}]", "add up to at most 100"],
    ["[{weight: {}}]", "at least one version"],
    ["[{approve: {people: 0}}]", "from 1 to 10"],
    ["[{hold: 10}]", "must be a duration"],
    ["[{bake: 10}]", "must be a duration"],
    ["[]", "must not be empty"],
  ])("steps: %s", (text, complaint) => {
    expect(steps(text)).toEqual([expect.stringContaining(complaint)]);
  });

  test.each([
    ["routes: []\nto: green\nstrategy: {blueGreen: {}}", "must not be empty"],
    ["routes: [{virtualService: a/b/c}]\nto: green\nstrategy: {blueGreen: {}}", "name or namespace/name"],
    ["routes: [{virtualService: a}, {virtualService: shop/a}]\nto: green\nstrategy: {blueGreen: {}}", "shop/a twice"],
    ["routes: [{virtualService: a}]\nfrom: green\nto: green\nstrategy: {blueGreen: {}}", "from green to green"],
    ["routes: [{virtualService: a}]\nto: green\nstrategy: {}", "names no strategy"],
    ["routes: [{virtualService: a}]\nto: green\nstrategy: {blueGreen: {}, canary: {weights: [1]}}", "2 strategies"],
    ["routes: [{virtualService: a}]\nto: green\nstrategy: {canary: {weights: [10, 5]}}", "must rise"],
    ["routes: [{virtualService: a}]\nto: green\nstrategy: {canary: {weights: [10, 100]}}", "must rise"],
  ])("%s", (spec, complaint) => {
    expect(specOf(spec)).toEqual([expect.stringContaining(complaint)]);
  });
});
