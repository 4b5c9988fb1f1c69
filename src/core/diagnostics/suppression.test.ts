import { expect, test } from "vitest";
import { applySuppressions } from "./apply-suppressions.ts";
import { diagnostic, type Diagnostic } from "./diagnostic.ts";
import { canBeSilenced, parseSuppressions, type IgnoreAnnotation } from "./suppression.ts";

const at = { file: "a.yaml", line: 3, column: 5 };
const resource = "VirtualService demo/a";
const annotation = (text: string): IgnoreAnnotation => ({ resource, text, at });

test.each([
  ["KIR1030: green comes on Friday", [["KIR1030", "green comes on Friday"]]],
  ["KIR1030 because green comes on Friday", [["KIR1030", "green comes on Friday"]]],
  [
    "ist0130 - kept for a client; KIR1036: meant so",
    [
      ["IST0130", "kept for a client"],
      ["KIR1036", "meant so"],
    ],
  ],
  [
    "KIR1030: one\nKIR1036: two\n",
    [
      ["KIR1030", "one"],
      ["KIR1036", "two"],
    ],
  ],
  ["KIR1030: becauseway is a name", [["KIR1030", "becauseway is a name"]]],
])("%j is read", (text, expected) => {
  const { suppressions, diagnostics } = parseSuppressions(annotation(text));
  expect(suppressions.map(({ code, reason }) => [code, reason])).toEqual(expected);
  expect(diagnostics).toEqual([]);
});

test.each([
  ["KIR1030", "KIR1080"],
  ["KIR1030 because", "KIR1080"],
  ["green comes on Friday", "KIR1080"],
  ["KIR1999: reason", "KIR1081"],
  ["IST0103: reason", "KIR1081"],
  ["KIR1001: reason", "KIR1083"],
  ["IST0106: reason", "KIR1083"],
  ["KIR1082: reason", "KIR1083"],
])("%j silences nothing and is %s", (text, code) => {
  const { suppressions, diagnostics } = parseSuppressions(annotation(text));
  expect(suppressions).toEqual([]);
  expect(diagnostics).toMatchObject([{ code, resource, at, level: "warning" }]);
});

const finding = (code: Diagnostic["code"], about: string | undefined = resource): Diagnostic =>
  diagnostic(code, { message: "m", resource: about, at });

test("a code, or Istio's for it, silences that finding of that object alone", () => {
  const findings = [finding("KIR1030"), finding("KIR1026"), finding("KIR1030", "Service demo/b"), finding("KIR1036")];
  const { shown, suppressed } = applySuppressions(findings, [annotation("KIR1030: r; IST0130: s")]);
  expect(shown).toEqual([findings[2], findings[3]]);
  expect(suppressed.map(({ finding: { code }, suppression }) => [code, suppression.reason])).toEqual([
    ["KIR1030", "r"],
    ["KIR1026", "s"],
  ]);
});

test("an entry without a finding is a finding", () => {
  const { shown, suppressed } = applySuppressions([finding("KIR1036")], [annotation("KIR1030: gone")]);
  expect(suppressed).toEqual([]);
  expect(shown).toMatchObject([{ code: "KIR1036" }, { code: "KIR1082", resource, at }]);
});

test("of an object that was not understood nothing is said to be unused", () => {
  const findings = [finding("KIR1005")];
  expect(applySuppressions(findings, [annotation("KIR1036: meant so")]).shown).toEqual(findings);
});

test("Istio's code for several findings leaves those that stop up", () => {
  const findings = [finding("KIR1021"), finding("KIR1005")];
  const { shown } = applySuppressions(findings, [annotation("IST0101: elsewhere")]);
  expect(shown).toEqual([findings[1]]);
});

test("what would be misread stays, and so does what counts or judges", () => {
  for (const code of ["KIR1001", "KIR1004", "KIR1008", "KIR1011", "KIR1082", "KIR1101"] as const) {
    expect(canBeSilenced(code)).toBe(false);
  }
  for (const code of ["KIR1021", "KIR1022", "KIR1030", "KIR1036"] as const) expect(canBeSilenced(code)).toBe(true);
});
