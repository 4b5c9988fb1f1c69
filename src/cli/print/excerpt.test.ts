import { expect, test } from "vitest";
import { displayWidth } from "../display-width.ts";
import { plainInk } from "../ink.ts";
import { renderExcerpt } from "./excerpt.ts";

/** The text that stands above the caret, by columns of the terminal. */
function pointedAt(text: string, column: number): { readonly shown: string; readonly indent: number } {
  const [line = "", caret = ""] = renderExcerpt(text, { line: 7, column }, plainInk).split("\n");
  expect(line.slice(0, 8)).toBe("    7 | ");
  expect(caret.slice(0, 8)).toBe("      | ");
  return { shown: line.slice(8), indent: caret.slice(8).indexOf("^") };
}

test.each([
  ["  selektor: x", "selektor"],
  ["\t\tname: x", "x"],
  ["name: 切り替え # x", "# x"],
  ["cafe\u0301: x", "x"],
  ["👩‍👩‍👧: x", "x"],
])("the caret stands under its character in %j", (text, marked) => {
  const offset = text.indexOf(marked);
  const { shown, indent } = pointedAt(text, offset + 1);
  expect(indent).toBe(displayWidth(text.slice(0, offset).replaceAll("\t", " ")));
  expect(shown).toBe(text.replaceAll("\t", " "));
});

test("of a long line the part around the column is shown, also of one of megabytes", () => {
  const text = `${"a".repeat(1_000_000)}X${"b".repeat(1_000_000)}`;
  const { shown, indent } = pointedAt(text, 1_000_001);
  expect(shown).toHaveLength(100);
  expect(shown[indent]).toBe("X");
  expect(pointedAt("x".repeat(300), 300)).toEqual({ shown: "x".repeat(100), indent: 99 });
  expect(pointedAt("x".repeat(300), 1).indent).toBe(0);
});

test("a column beyond the line is its end, and marks that turn text are shown as such", () => {
  expect(pointedAt("ab", 9).indent).toBe(2);
  expect(pointedAt("a\u202Eb", 3)).toEqual({ shown: "a\uFFFDb", indent: 2 });
});
