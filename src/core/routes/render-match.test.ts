import { expect, test } from "vitest";
import { renderMatch } from "./match-request.ts";

test("a method is called by its name, not by the header that carries it", () => {
  const value = { kind: "exact", value: "POST" } as const;
  const path = { kind: "prefix", value: "/", ignoreCase: false } as const;
  const text = renderMatch({ path, headers: [{ name: ":method", value, invert: false }], query: [] });
  expect(text).toBe('method exactly "POST"');
});
