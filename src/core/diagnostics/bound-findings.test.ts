import { expect, test } from "vitest";
import { boundFindings } from "./bound-findings.ts";
import { blocksServing, diagnostic } from "./diagnostic.ts";

const finding = (file: string, line: number, code: "KIR1021" | "KIR1101" = "KIR1021") =>
  diagnostic(code, { message: `finding ${line}`, at: { file, line, column: 3 } });
const many = (file: string, count: number) => Array.from({ length: count }, (_, line) => finding(file, line + 1));

test("up to a hundred findings of a file stay as they are", () => {
  const findings = [...many("a.yaml", 100), ...many("b.yaml", 100)];
  expect(boundFindings(findings, "here")).toEqual(findings);
});

test("of more the first hundred stay, and the others are counted by file and level", () => {
  const bounded = boundFindings(
    [...many("a.yaml", 250), finding("b.yaml", 1), ...many("c.yaml", 101)],
    "of references",
  );
  expect(bounded.filter(({ code }) => code === "KIR1021")).toHaveLength(201);
  expect(bounded.slice(-2).map(({ message, at }) => [message, at])).toEqual([
    ["There are 150 more errors of references.", { file: "a.yaml", line: 1, column: 1 }],
    ["There is 1 more error of references.", { file: "c.yaml", line: 1, column: 1 }],
  ]);
});

test("an error that keeps up from serving is not hidden by a hundred that do not, and what is cut keeps its weight", () => {
  const bounded = boundFindings([...many("a.yaml", 250), finding("a.yaml", 251, "KIR1101")], "here");
  expect(bounded.map(({ code }) => code)).toContain("KIR1101");
  expect(bounded.at(-1)).toMatchObject({ code: "KIR1011", level: "error" });
  expect(bounded.filter(blocksServing)).toHaveLength(1);
});
