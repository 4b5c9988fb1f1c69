import { expect, test } from "vitest";
import type { TimelineEntry } from "../../api/types.ts";
import { plainInk } from "../ink.ts";
import { renderHistory } from "./history.ts";

const release = { id: "r2", release: "shop/to-green", services: ["shop/web"] };

test("the history tells of moves and releases in one order", () => {
  const entries: readonly TimelineEntry[] = [
    {
      ...release,
      event: "begin",
      at: "2026-01-01T10:00:00.000Z",
      actor: "ann",
      reason: "week 1",
      what: "begun, to green",
    },
    {
      id: "m3",
      virtualService: "shop/web",
      verb: "shift",
      outcome: "done",
      startedAt: "2026-01-01T10:00:01.000Z",
      finishedAt: "2026-01-01T10:00:02.000Z",
      actor: "ann",
      reason: "release shop/to-green",
      before: { blue: 100 },
      after: { blue: 90, green: 10 },
      ledger: null,
    },
    {
      ...release,
      event: "approve",
      at: "2026-01-01T10:00:03.000Z",
      actor: "bob",
      reason: "good",
      what: "approved by bob: good",
    },
    { ...release, event: "judged", at: "2026-01-01T10:00:04.000Z", actor: null, reason: null, what: "check fail: bad" },
  ];
  expect(renderHistory(entries, plainInk)).toMatchInlineSnapshot(`
    "2026-01-01T10:00:00.000Z  shop/to-green  release  begun, to green  by ann: week 1
    2026-01-01T10:00:01.000Z  shop/web  shift  done  by ann
      weights  blue 100 % to blue 90 %, green 10 %
      reason   release shop/to-green
    2026-01-01T10:00:03.000Z  shop/to-green  release  approved by bob: good
    2026-01-01T10:00:04.000Z  shop/to-green  release  check fail: bad"
  `);
  expect(renderHistory([], plainInk)).toBe("Nothing was moved yet.");
});
