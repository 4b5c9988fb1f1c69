import { expect, test } from "vitest";
import { addGrowth, checkedDestinations, nothingCounted, sumCounts } from "./count-versions.ts";
import type { VersionCounts } from "../check/judge-version.ts";
import type { ReleasePlan } from "./plan-release.ts";

const destinations = new Set(["a", "b"]);

function grow(
  before: Readonly<Record<string, VersionCounts>>,
  now: Readonly<Record<string, VersionCounts>>,
): VersionCounts {
  const growth = { before: new Map(Object.entries(before)), now: new Map(Object.entries(now)), destinations };
  return addGrowth(nothingCounted, growth);
}

const ten = { fromMs: 10, widthMs: 1 };

test("what has come to all destinations of a version is added up, and others are left out", () => {
  const before = { a: { requests: 5, errors: 1, latency: [{ ...ten, count: 4 }], ejections: 1 } };
  const now = {
    a: { requests: 9, errors: 2, latency: [{ ...ten, count: 7 }], ejections: 1 },
    b: { requests: 2, errors: 0, latency: [{ ...ten, count: 2 }] },
    c: { requests: 100, errors: 100 },
  };
  expect(grow(before, now)).toEqual({
    requests: 6,
    errors: 1,
    latency: [{ ...ten, count: 5 }],
    ejections: 0,
    outOfRotation: 0,
  });
});

test("a proxy that was started again has counted only what it shows", () => {
  const before = { a: { requests: 50, errors: 1, latency: [{ ...ten, count: 50 }], ejections: 3 } };
  const now = { a: { requests: 3, errors: 0, latency: [{ ...ten, count: 3 }], ejections: 2 } };
  expect(grow(before, now)).toEqual({
    requests: 3,
    errors: 0,
    latency: [{ ...ten, count: 3 }],
    ejections: 2,
    outOfRotation: 0,
  });
});

test("what no proxy counts is not there, rather than 0", () => {
  expect(grow({}, { a: { requests: 3, errors: 0 } })).toEqual({ requests: 3, errors: 0, outOfRotation: 0 });
});

test("versions that give requests up are compared with, and those that keep their share are not", () => {
  const versions = [
    { name: "green", destinations: ["g"] },
    { name: "blue", destinations: ["b1", "b2"] },
    { name: "legacy", destinations: ["l"] },
  ];
  const changes = [
    { before: { b1: 45, b2: 45, g: 0, l: 10 }, after: { b1: 427_500, b2: 427_500, g: 45_000, l: 100_000 } },
    { before: { g: 100, b1: 0 }, after: { g: 0, b1: 100 } },
  ];
  const steps = [{ kind: "weight", moves: [{ to: "green", versions, changes }] }] as unknown as ReleasePlan["steps"];
  expect(checkedDestinations({ steps, to: "green" })).toEqual({ fresh: new Set(["g"]), live: new Set(["b1", "b2"]) });
});

test("what visitors with a mark meet is checked, also where no weight moves", () => {
  const addition = { kind: "preview", to: { split: "g" } };
  const steps = [{ kind: "preview", addition }] as unknown as ReleasePlan["steps"];
  expect(checkedDestinations({ steps, to: "green" })).toEqual({ fresh: new Set(["g"]), live: new Set() });
});

test("what is out of rotation now is not added up over time", () => {
  const out = {
    a: { requests: 0, errors: 0, ejections: 4, outOfRotation: 1 },
    b: { requests: 0, errors: 0, outOfRotation: 1 },
  };
  const growth = { before: new Map(Object.entries(out)), now: new Map(Object.entries(out)), destinations };
  expect(addGrowth(addGrowth(nothingCounted, growth), growth)).toMatchObject({ ejections: 0, outOfRotation: 2 });
});

test("the counters of several proxies are added up", () => {
  const one = new Map([["a", { requests: 1, errors: 1, latency: [{ fromMs: 3, widthMs: 1, count: 1 }] }]]);
  const other = new Map([
    ["a", { requests: 2, errors: 0, latency: [{ fromMs: 3, widthMs: 1, count: 2 }], ejections: 1 }],
  ]);
  expect(sumCounts([one, other])).toEqual(
    new Map([["a", { requests: 3, errors: 1, latency: [{ fromMs: 3, widthMs: 1, count: 3 }], ejections: 1 }]]),
  );
});
