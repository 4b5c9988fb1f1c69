import { expect, test } from "vitest";
import { addSights } from "./watch-step.ts";

const probes = { sent: 3, ok: 2, failed: 1, unsent: 0, failures: ["GET a.com/: answered 500"] };

test("a request of its own that failed counts as one that failed", () => {
  const outcome = addSights({ kind: "moved", failed: 2, move: "m1" }, { probes });
  expect(outcome).toEqual({ kind: "moved", failed: 3, move: "m1", probes });
});

test("an answer that cannot be, if the weights are live, leaves them unproved", () => {
  const outcome = addSights(
    { kind: "moved", failed: 0, move: "m1" },
    { probes, contradiction: "GET a.com/: answered 404" },
  );
  expect(outcome).toEqual({ kind: "moveFailed", reason: "unproved: GET a.com/: answered 404", move: "m1" });
});

test("what has failed anyway keeps its own reason", () => {
  const failed = { kind: "moveFailed", reason: "stuck: no proxy answers" } as const;
  expect(addSights(failed, { contradiction: "GET a.com/: answered 404" })).toBe(failed);
});
