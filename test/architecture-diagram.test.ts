import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderTransitions } from "../src/core/release/advance.ts";

test("ARCHITECTURE.md shows the transitions of a move as they are", () => {
  const text = readFileSync(new URL("../ARCHITECTURE.md", import.meta.url), "utf8");
  const block = /<!-- transitions begin -->\s*```mermaid\n(?<diagram>.*?)\n```\s*<!-- transitions end -->/su.exec(text);
  expect(block?.groups?.["diagram"]).toBe(renderTransitions());
});
