import { expect, test } from "vitest";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { readControlPlane } from "./control-plane.ts";
import type { IstiodPlace } from "./site-view.ts";

function istiod(name: string, get: IstiodPlace["get"]): IstiodPlace {
  return { name, get };
}

const silence = new KirikaeError("KIR4010", "no way leads there", { exitStatus: 3 });

test("a replica that does not answer, or answers with something else, is named beside those that do", async () => {
  const { answered, silent } = await readControlPlane([
    istiod("well", () => Promise.resolve("[]")),
    istiod("silent", () => Promise.reject(silence)),
    istiod("other", () => Promise.resolve("404 page not found")),
    istiod("given up", () => Promise.reject(AbortSignal.abort().reason as Error)),
  ]);
  expect(answered.map(({ name }) => name)).toEqual(["well"]);
  expect([...silent.keys()]).toEqual(["silent", "other", "given up"]);
  expect(silent.get("silent")).toBe("no way leads there");
});

test("a mistake of ours is not taken for a silent replica", async () => {
  const broken = istiod("well", () => Promise.reject(new TypeError("get is broken")));
  await expect(readControlPlane([broken])).rejects.toThrow("get is broken");
});
