import { expect, test } from "vitest";
import type { ClusterRelease } from "../../api/types.ts";
import { ClusterChanges } from "./cluster-changes.ts";

const holding: ClusterRelease = {
  runBy: "controller",
  context: "prod",
  release: "shop/to-green",
  id: "r1",
  from: "blue",
  to: "green",
  services: ["shop/web"],
  phase: "holding",
  step: "2/3",
  stepName: "hold",
  weight: "blue 90 %, green 10 %",
  message: "waits to be promoted",
  startedAt: "2026-11-22T01:00:00Z",
  endedAt: null,
  waitsUntil: null,
  steps: [],
};

test("tells each change once, and by cluster", () => {
  const changes = new ClusterChanges(() => Date.parse("2026-11-22T02:00:00Z"));
  const line =
    "2026-11-22T02:00:00Z shop/to-green is holding, step 2/3: waits to be promoted; live: blue 90 %, green 10 %";
  expect(changes.take([holding])).toEqual([line]);
  expect(changes.take([holding])).toEqual([]);
  const other = { ...holding, context: "other" };
  expect(changes.take([holding, other])).toEqual([line]);
  expect(changes.take([{ ...holding, phase: "done", step: null, weight: null, message: "done" }, other])).toEqual([
    "2026-11-22T02:00:00Z shop/to-green is done",
  ]);
});

test("what others wrote into an object stays one line", () => {
  const [line] = new ClusterChanges().take([{ ...holding, message: "two\nlines" }]);
  expect(line).not.toContain("\n");
});

test("tells once that one has been deleted, and all of the next one of that name", () => {
  const changes = new ClusterChanges(() => Date.parse("2026-11-22T02:00:00Z"));
  const [line] = changes.take([holding]);
  expect(changes.take([])).toEqual(["2026-11-22T02:00:00Z shop/to-green is deleted"]);
  expect(changes.take([])).toEqual([]);
  expect(changes.take([holding])).toEqual([line]);
});
