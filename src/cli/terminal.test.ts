import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { displayWidth } from "./display-width.ts";
import { renderJson } from "./neutralise.ts";
import { openTerminal, renderTable, type Terminal } from "./terminal.ts";

function open(env: NodeJS.ProcessEnv): { readonly terminal: Terminal; readonly printed: () => string } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of a process that a terminal uses.
  const streams = { stdout, stderr, env } as unknown as Parameters<typeof openTerminal>[0];
  return { terminal: openTerminal(streams), printed: () => String(stdout.read() ?? "") };
}

test("a name cannot colour, move or turn what is printed, and the ink's own colours work", () => {
  const { terminal, printed } = open({ FORCE_COLOR: "1" });
  const name = "a\u001B[31mred\u001B[0m\u001B]0;title\u0007\u009B2J\u202Egnp.exe\u2066\u2028b";
  terminal.answer(`${terminal.ink.red("error")} ${name}`);
  const dot = "\uFFFD";
  expect(printed()).toBe(
    `\u001B[31merror\u001B[39m a${dot}[31mred${dot}[0m${dot}]0;title${dot}${dot}2J${dot}gnp.exe${dot}${dot}b\n`,
  );
});

test("a colour sequence of another terminal is text", () => {
  const { terminal, printed } = open({ FORCE_COLOR: "1" });
  terminal.answer(open({ FORCE_COLOR: "1" }).terminal.ink.red("x"));
  expect(printed()).toMatch(/^\uFFFD\[31;/u);
});

test.each([
  ["abc", 3],
  ["切り替え", 8],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  ["ｱｲｳ", 3],
  ["ＡＢ", 4],
  ["한글", 4],
  ["é–ß", 3],
])("%s takes %i columns", (text, columns) => {
  expect(displayWidth(text)).toBe(columns);
});

test("a table stays aligned with wide characters and colours", () => {
  const { terminal, printed } = open({ FORCE_COLOR: "1" });
  terminal.answer(
    renderTable([
      [terminal.ink.bold("切替"), "x"],
      ["ab", "y"],
    ]),
  );
  expect(printed()).toBe("\u001B[1m切替\u001B[22m  x\nab    y\n");
});

test("JSON keeps its value and none of its characters steers the terminal", () => {
  const value = { name: "a\u202Eb\u009Bc\u2028\u{E0041}" };
  const text = renderJson(value, 2);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toMatch(/^[\n -~]+$/u);
});

test("a text that is drawn again costs only what changed, and a name in it cannot move the cursor", () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 5, columns: 12 });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of a process that a terminal uses.
  const streams = { stdout, stderr: new PassThrough(), env: {} } as unknown as Parameters<typeof openTerminal>[0];
  const terminal = openTerminal(streams);
  const printed = (): string => String(stdout.read() ?? "");
  terminal.redraw(`one\n${terminal.ink.red("two")}`);
  expect(printed()).toContain("\u001B[31mtwo\u001B[39m");
  terminal.redraw(`one\n${terminal.ink.red("two")}`);
  expect(printed()).toBe("");
  terminal.redraw("one\nx\u001B[2Jy and more than fits");
  expect(printed()).toContain("\u001B[2;1Hx\uFFFD[2Jy and …");
});
