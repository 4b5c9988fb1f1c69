import { expect, test } from "vitest";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { emitOrder, parseOrder } from "./parse-order.ts";

test.each<readonly [text: string, command: ReleaseCommand | { readonly kind: "start" }]>([
  ["promote", { kind: "promote", full: false }],
  ["promote-full", { kind: "promote", full: true }],
  [" rollback-now\n", { kind: "rollback", now: true }],
  ["set:25", { kind: "set", shares: 25 }],
  ["set:green=25,blue=75", { kind: "set", shares: { green: 25, blue: 75 } }],
  ["start", { kind: "start" }],
])("%j is an order of nobody in particular", (text, command) => {
  expect(parseOrder(text)).toEqual({ kind: "order", command, actor: undefined, reason: undefined });
});

test("JSON says who asks, and why", () => {
  expect(parseOrder('{"order": "reject", "actor": "ann", "reason": "too slow"}')).toEqual({
    kind: "order",
    command: { kind: "reject" },
    actor: "ann",
    reason: "too slow",
  });
});

test.each([
  "",
  "promotte",
  "set:",
  "set:green",
  "set:green=101",
  "set:green=1,green=2",
  "set:-1",
  "{",
  "{}",
  '{"order": 1}',
  "toString",
])("%j is no order", (text) => {
  expect(parseOrder(text).kind).toBe("wrong");
});

test.each<ReleaseCommand>([
  { kind: "promote", full: true },
  { kind: "promote", full: false, despiteFreeze: true },
  { kind: "rollback", despiteChanges: true },
  { kind: "set", shares: { green: 25 } },
  { kind: "set", shares: 5 },
  { kind: "approve" },
])("what is written is read back: %j", (command) => {
  expect(parseOrder(emitOrder({ command, actor: "ann", reason: "why", id: "1" }))).toEqual({
    kind: "order",
    command,
    actor: "ann",
    reason: "why",
  });
});
