import { assert, constantFrom, nat, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { collectDonors, drawsOf, mutateManifest } from "../../../../test/arbitrary/mutate-manifest.ts";
import { expandStrategy } from "../../release/plan/expand-strategy.ts";
import type { ReleaseManifest } from "../manifest.ts";
import { parseManifests } from "../parse-manifests.ts";

function manifestOf(spec: string): string {
  return [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: Release",
    "metadata: {name: to-green, namespace: shop}",
    "spec:",
    "  routes: [{virtualService: web}]",
    "  to: green",
    ...spec.split("\n").map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function parse(text: string) {
  return parseManifests([{ path: "release.yaml", text }], { defaultNamespace: "default" });
}

function specOf(spec: string): ReleaseManifest["spec"] {
  const { manifests, diagnostics } = parse(manifestOf(spec));
  expect(diagnostics).toEqual([]);
  const release = manifests.find((each) => each.kind === "Release");
  if (release === undefined) throw new Error("no Release");
  return release.spec;
}

function complaint(spec: string): string {
  const [first] = parse(manifestOf(spec)).diagnostics;
  if (first === undefined) throw new Error("nothing is wrong with it");
  expect(first.at).toMatchObject({ file: "release.yaml" });
  return [first.message, first.hint].join(" ");
}

function kinds(spec: string): readonly string[] {
  return expandStrategy(specOf(spec)).map(({ kind }) => kind);
}

describe("a step that adds to routes", () => {
  test("is written with what Istio calls it", () => {
    expect(
      specOf(
        [
          "strategy:",
          "  steps:",
          "    - preview:",
          "        match:",
          '          - { headers: { X-Staff: "1", x-team: { prefix: web } }, queryParams: { v: { exact: green } } }',
          "          - { cookies: { beta: {} } }",
          "    - mirror: { percent: 20, methods: [get, HEAD, GET], compare: { headers: [ETag], body: true } }",
          "    - bake: 10m",
          "    - bake: { duration: 1m, check: { successRate: { min: 99 } } }",
          "    - finish: {}",
        ].join("\n"),
      ).strategy,
    ).toMatchObject({
      kind: "steps",
      steps: [
        {
          kind: "preview",
          name: "preview",
          match: [
            {
              headers: { "x-staff": { kind: "exact", value: "1" }, "x-team": { kind: "prefix", value: "web" } },
              cookies: {},
              queryParams: { v: { kind: "exact", value: "green" } },
            },
            { headers: {}, cookies: { beta: { kind: "present" } }, queryParams: {} },
          ],
        },
        {
          kind: "mirror",
          percent: 20,
          methods: ["GET", "HEAD"],
          compare: { headers: ["etag"], body: true, ignoredFields: [] },
        },
        { kind: "bake", durationMs: 600_000, check: undefined },
        { kind: "bake", durationMs: 60_000, check: { durationMs: 60_000, minSuccessPercent: 99 } },
        { kind: "finish" },
      ],
    });
  });

  test.each([
    ["preview: {}", '"spec.strategy.steps[0].preview.match" is missing'],
    ["preview: {match: []}", "must not be empty"],
    ["preview: {match: [{}]}", "asks for nothing"],
    ["preview: {match: [{headers: {':path': {exact: /}}}]}", ":path"],
    ["preview: {match: [{cookies: {'a b': {}}}]}", 'cookie named "a b"'],
    ["preview: {match: [{cookie: {a: {}}}]}", "cookies"],
    ["preview: {match: [{headers: {x-a: {regex: '('}}}]}", "RE2"],
    ["preview: {name: '', match: [{cookies: {a: {}}}]}", "name of 1 to 60"],
    ['preview: {name: "a\\e[31m", match: [{cookies: {a: {}}}]}', "can be printed"],
    ["mirror: {percent: 101}", "from 0 to 100"],
    ["mirror: {methods: []}", "must not be empty"],
    ["mirror: {methods: ['GET /']}", "must be a method"],
    ["mirror: {compare: {bodies: true}}", "body"],
    ["bake: 10", "must be a duration"],
    ["finish: {now: true}", "not a field"],
    ["previews: {}", "preview"],
  ])("%s", (step, expected) => {
    expect(complaint(`strategy: {steps: [{${step}}]}`)).toContain(expected);
  });
});

describe("a preset", () => {
  const match = "{match: [{cookies: {beta: {}}}]}";

  test("blueGreen previews, waits, asks, switches and bakes", () => {
    const gates = "hold: {}, check: {duration: 1m}, approve: {}, bake: 5m";
    expect(kinds(`strategy: {blueGreen: {preview: ${match}, ${gates}}}`)).toEqual([
      "preview",
      "hold",
      "check",
      "approve",
      "switch",
      "bake",
      "finish",
    ]);
    expect(kinds("strategy: {blueGreen: {bake: 5m}}")).toEqual(["switch", "bake"]);
  });

  test("abTest shows the new version to those with a mark until it ends", () => {
    expect(kinds(`strategy: {abTest: {preview: ${match}, hold: 7d, approve: {}}}`.replace("7d", "168h"))).toEqual([
      "preview",
      "hold",
      "approve",
      "switch",
      "finish",
    ]);
  });

  test("mirrorFirst copies before it moves anything, and checks copies by what is compared of them", () => {
    const plain = "strategy: {mirrorFirst: {mirror: {percent: 10}, weights: [5, 50], check: {duration: 1m}}}";
    expect(kinds(plain).join(" ")).toBe("mirror mirror weight check weight check switch finish");
    const compared = specOf(
      "strategy: {mirrorFirst: {mirror: {compare: {}}, weights: [5], check: {duration: 1m, differences: {max: 1}}}}",
    );
    expect(expandStrategy(compared).filter(({ kind }) => kind === "check")).toMatchObject([
      { maxDifferentPercent: 1, comparesWithLive: false },
      { maxDifferentPercent: undefined, comparesWithLive: true },
    ]);
  });

  test("cohorts are a ladder, on which each visitor stays", () => {
    const ladder =
      "[{name: staff, match: [{headers: {x-staff: {}}}]}, {name: few, weight: 1}, {name: half, weight: 50}]";
    expect(kinds(`strategy: {cohorts: ${ladder}}`)).toEqual([
      "affinity",
      "preview",
      "weight",
      "weight",
      "switch",
      "finish",
    ]);
    expect(kinds(`strategy: {cohorts: {cohorts: ${ladder}, hold: 1m, approve: {}}}`)).toEqual([
      "affinity",
      "preview",
      "hold",
      "weight",
      "hold",
      "weight",
      "hold",
      "approve",
      "switch",
      "finish",
    ]);
  });

  test("any strategy keeps visitors on their version where it says so", () => {
    const spec = specOf("sessionAffinity: {maxAge: 1h}\nstrategy: {canary: {weights: [10]}}");
    expect(spec.sessionAffinity).toEqual({ cookie: "kirikae-visitor", maxAgeMs: 3_600_000 });
    expect(expandStrategy(spec).map(({ kind }) => kind)).toEqual(["affinity", "weight", "switch", "finish"]);
  });

  test.each([
    ["strategy: {bluegreen: {}}", "blueGreen"],
    ["strategy: {blueGreen: {}, abTest: {}}", "preview"],
    ["strategy: {abTest: {}}", "preview"],
    ["strategy: {cohorts: []}", "must not be empty"],
    ["strategy: {cohorts: [{name: a}]}", "says nothing of who"],
    ["strategy: {cohorts: [{name: a, weight: 1, match: [{cookies: {b: {}}}]}]}", "both a match and a weight"],
    ["strategy: {cohorts: [{name: a, weight: 1}, {name: a, weight: 2}]}", "two cohorts named a"],
    ["strategy: {cohorts: [{name: a, weight: 5}, {name: b, weight: 2}]}", "do not rise"],
    ["strategy: {cohorts: [{name: a, weight: 100}]}", "below 100"],
    ["strategy: {mirrorFirst: {weights: [1]}}", "mirror"],
    [
      "strategy: {mirrorFirst: {mirror: {}, weights: [1], check: {duration: 1m, differences: {max: 1}}}}",
      "answers that are not compared",
    ],
    ["sessionAffinity: {cookie: 'a b'}\nstrategy: {blueGreen: {}}", "name of a cookie"],
  ])("%s is refused", (spec, expected) => {
    expect(complaint(spec)).toContain(expected);
  });
});

test("a Release with any fault gives diagnostics and no exception", () => {
  const texts = [
    "strategy: {blueGreen: {preview: {match: [{headers: {x-a: {exact: b}}}]}, hold: {}, check: {duration: 1m}, bake: {duration: 5m, check: {latency: {p99: 300ms}}}}}",
    "sessionAffinity: {cookie: a, maxAge: 1h}\nstrategy: {cohorts: [{name: s, match: [{cookies: {b: {}}}]}, {name: f, weight: 1}]}",
    "strategy:\n  steps:\n    - preview: {name: p, match: [{queryParams: {v: {regex: a.*}}}]}\n    - mirror: {percent: 5, methods: [GET], compare: {body: true, ignoredFields: [a.b]}}\n    - finish: {}",
  ].map(manifestOf);
  const donors = collectDonors(texts);
  assert(
    property(tuple(constantFrom(...texts), nat()), ([text, seed]) => {
      const { manifests } = parse(mutateManifest(text, donors, drawsOf(seed)));
      for (const manifest of manifests) if (manifest.kind === "Release") expandStrategy(manifest.spec);
    }),
    { numRuns: 300 },
  );
});
