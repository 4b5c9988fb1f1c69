import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderTransitions } from "../src/core/release/move/advance.ts";
import { renderReleasePhases } from "./release-diagram.fixture.ts";

const text = readFileSync(new URL("../ARCHITECTURE.md", import.meta.url), "utf8");

function diagramBetween(name: string): string | undefined {
  const [, rest = ""] = text.split(`<!-- ${name} begin -->`);
  const [block = ""] = rest.split(`<!-- ${name} end -->`);
  return /^\s*```mermaid\n(?<diagram>.*)\n```\s*$/su.exec(block)?.groups?.["diagram"];
}

test("ARCHITECTURE.md shows the transitions of a move as they are", () => {
  expect(diagramBetween("transitions")).toBe(renderTransitions());
});

test("ARCHITECTURE.md shows the phases of a release as they are", () => {
  expect(diagramBetween("release phases")).toBe(renderReleasePhases());
});
