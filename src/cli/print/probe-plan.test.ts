import { expect, test } from "vitest";
import type { PlannedProbe } from "../../core/release/plan/plan-probes.ts";
import { plainInk } from "../ink.ts";
import { renderProbePlan } from "./probe-plan.ts";

function probe(path: string, more: Partial<PlannedProbe> = {}): PlannedProbe {
  return { listener: "l", usesTls: false, host: "a.com", path, method: "GET", headers: {}, ...more };
}

test("what is asked is shown with its marks, and what is not with the reason", () => {
  const probes = [probe("/"), probe("/x?y=1", { usesTls: true, method: "HEAD", headers: { "x-a": "1" } })];
  expect(renderProbePlan({ probes, leftOut: ["a.com/r.*, which is a pattern"] }, 5, plainInk)).toBe(
    [
      "Probes  5 a second while weights move forward, in turn",
      "  GET http://a.com/",
      "  HEAD https://a.com/x?y=1  x-a: 1",
      "Not asked",
      "  a.com/r.*, which is a pattern",
    ].join("\n"),
  );
});

test("of very many the first are shown, and of none it is said", () => {
  const probes = Array.from({ length: 25 }, (_, index) => probe(`/${index}`));
  expect(renderProbePlan({ probes, leftOut: [] }, 5, plainInk).split("\n").at(-1)).toBe("  and 5 more");
  expect(renderProbePlan({ probes: [], leftOut: [] }, 5, plainInk)).toContain("nothing, because no rule");
});
