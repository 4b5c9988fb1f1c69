import { expect, test } from "vitest";
import { sampleRelease } from "../../../test/api/sample-release.ts";
import type { ReleaseStatus } from "../../api/types.ts";
import { plainInk } from "../ink.ts";
import { renderReleases, renderReleaseStory } from "./release.ts";

test("the story of a release says who did what, and why", () => {
  const status = {
    id: "r1",
    release: "shop/to-green",
    to: "green",
    services: ["shop/web"],
    phase: "rolledBack",
    step: 2,
    message: "rolled back",
    untilMs: null,
    steps: [{ number: 1, kind: "weight", state: "undone", summary: "green 10 %, blue 90 %" }],
    startedAt: "2026-11-21T10:00:00.000Z",
    actor: "ann",
    reason: "release 12",
    plan: { spec: {}, steps: [{ kind: "weight", moves: [] }, { kind: "approve", people: 1 }, { kind: "check" }] },
    events: [
      { kind: "start", atMs: 1_795_255_200_000, startedBy: "ann" },
      { kind: "moved", atMs: 1_795_255_201_000, failed: 0, move: "m2" },
      { kind: "approve", atMs: 1_795_255_202_000, actor: "bob", reason: "looks good" },
      { kind: "judged", atMs: 1_795_255_203_000, verdict: "pass", detail: "all good" },
      { kind: "rollback", atMs: 1_795_255_204_000, actor: "eve", reason: null },
    ],
  } as unknown as ReleaseStatus;
  expect(renderReleaseStory(status, plainInk)).toMatchInlineSnapshot(`
    "Release  shop/to-green to green: rolled back
      undone  1  weight  green 10 %, blue 90 %
      rolled back
      2026-11-21T10:00:00.000Z  started by ann: release 12
      2026-11-21T10:00:01.000Z  step 1 (weight): weights moved and proved
      2026-11-21T10:00:02.000Z  approved by bob: looks good
      2026-11-21T10:00:03.000Z  step 3 (check): pass: all good
      2026-11-21T10:00:04.000Z  rolled back by eve"
  `);
});

test("a list has headings, and says until when", () => {
  const releases = [
    sampleRelease(),
    sampleRelease({ release: "sample-ns/older", phase: "done", step: null, message: "done", untilMs: null }),
  ];
  expect(`\n${renderReleases(releases, plainInk)}`).toBe(`
RELEASE             TO     PHASE    STEP  STARTED               BY   NOW
sample-ns/to-green  green  holding  2/4   2026-11-21T10:00:00Z  ann  holds until its time is over, or until it is promoted (until 2026-11-21T10:10:00Z)
sample-ns/older     green  done     -     2026-11-21T10:00:00Z  ann`);
  expect(renderReleases([], plainInk)).toContain("No release to show.");
});
