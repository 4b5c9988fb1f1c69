import { expect, test } from "vitest";
import { createSourceLines } from "./source-lines.ts";

const text = `---
# Source: shop/templates/gateway.yaml
kind: Gateway
metadata: {name: web}
---
# Source: shop/templates/secret.yaml
kind: Secret
data:
  tls.key: c2VjcmV0
---
kind: Service
`;
const lines = createSourceLines([{ path: "a.yaml", text }]);

test("a place knows the template that Helm made it from", () => {
  expect(lines.helmSource("a.yaml", 4)).toBe("shop/templates/gateway.yaml");
  expect(lines.helmSource("a.yaml", 9)).toBe("shop/templates/secret.yaml");
  expect(lines.helmSource("a.yaml", 11)).toBeUndefined();
  expect(lines.helmSource("b.yaml", 1)).toBeUndefined();
});

test("a line is shown unless it may hold a key", () => {
  expect(lines.excerpt("a.yaml", 4)).toBe("metadata: {name: web}");
  expect(lines.excerpt("a.yaml", 9)).toBeUndefined();
  expect(lines.excerpt("a.yaml", 11)).toBe("kind: Service");
  expect(lines.excerpt("b.yaml", 1)).toBeUndefined();
});

test("JSON, Lists and lone carriage returns hide keys too", () => {
  const list = `{"kind": "List", "items": [{"kind": "Secret"},\n {"data": {"tls.key": "c2VjcmV0"}}]}`;
  const shown = createSourceLines([
    { path: "a.json", text: list },
    { path: "b.yaml", text: "kind: Secret\rstringData: {tls.key: x}" },
  ]);
  expect(shown.excerpt("a.json", 2)).toBeUndefined();
  expect(shown.excerpt("b.yaml", 2)).toBeUndefined();
});

function excerptOf(text: string, line: number): string | undefined {
  return createSourceLines([{ path: "a.yaml", text }]).excerpt("a.yaml", line);
}

test("a kind can be written in many ways, and a key can lie outside of any", () => {
  expect(excerptOf("kind: >-\n  Secret\ndata: {a: x}", 3)).toBeUndefined();
  expect(excerptOf("a: &kind Secret\nkind: *kind\ndata: {a: x}", 3)).toBeUndefined();
  expect(excerptOf('kind: !!str "Secret"\ndata: {a: x}', 2)).toBeUndefined();
  expect(excerptOf('kind: "Se\\x63ret"\ndata: {a: x}', 2)).toBeUndefined();
  expect(excerptOf("kind: ConfigMap\ndata: {password: x}", 2)).toBeUndefined();
  expect(excerptOf('kind: Secret\nstringData: {a: "x\n---\nrest of a password"}', 4)).toBeUndefined();
  expect(excerptOf("password: x\nport: [80", 1)).toBeUndefined();
});
