import { expect, test } from "vitest";
import { fitLine, Screen } from "./screen.ts";

const escape = String.fromCodePoint(0x1b);
const size = { rows: 10, columns: 20 };

/** What a terminal of that size shows after it was sent this. */
function shownBy(...sent: readonly string[]): readonly string[] {
  const lines: string[] = Array.from({ length: size.rows }, () => "stale");
  let row = 0;
  for (const part of sent.join("").split(new RegExp(`(${escape}\\[[?\\d;]*[A-Za-z])`, "u"))) {
    const move = new RegExp(`^${escape}\\[(?<row>\\d+);1H$`, "u").exec(part)?.groups?.["row"];
    if (move !== undefined) row = Number(move) - 1;
    else if (part === `${escape}[H`) row = 0;
    else if (part === `${escape}[J`) lines.fill("", row);
    else if (part === `${escape}[K` || part.startsWith(`${escape}[?2026`)) continue;
    else if (part !== "") lines[row] = part;
  }
  return lines;
}

test("draws over what was there, and later only what changed", () => {
  const screen = new Screen();
  const first = screen.draw("one\ntwo\nthree", size);
  expect(shownBy(first).slice(0, 4)).toEqual(["one", "two", "three", ""]);
  const second = screen.draw("one\nTWO\nthree", size);
  expect(second).toContain("TWO");
  expect(second).not.toContain("one");
  expect(second).not.toContain("three");
  expect(screen.draw("one\nTWO\nthree", size)).toBe("");
  const third = screen.draw("one", size);
  expect(shownBy(first, second, third).slice(0, 3)).toEqual(["one", "", ""]);
});

test("a window of another size is drawn anew", () => {
  const screen = new Screen();
  screen.draw("one\ntwo", size);
  expect(shownBy(screen.draw("one\ntwo", { rows: 10, columns: 30 })).slice(0, 3)).toEqual(["one", "two", ""]);
});

test("what does not fit is cut, and says so", () => {
  const screen = new Screen();
  const text = Array.from({ length: 12 }, (_, index) => `line ${index}`).join("\n");
  const shown = shownBy(screen.draw(text, size));
  expect(shown.slice(7, 9)).toEqual(["line 7", "... 4 more lines; a…"]);
  expect(shown[9]).toBe("");
});

test("a line is cut by what is seen of it, and its colours still end", () => {
  const red = `${escape}[31m`;
  const plain = `${escape}[39m`;
  expect(fitLine(`${red}abcdef${plain}`, 6)).toBe(`${red}abcdef${plain}`);
  expect(fitLine(`${red}abcdef${plain}g`, 4)).toBe(`${red}abc…${plain}`);
  expect(fitLine("切り替え", 5)).toBe("切り…");
});
