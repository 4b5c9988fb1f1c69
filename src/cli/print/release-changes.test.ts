import { expect, test } from "vitest";
import { sampleLive, sampleRelease, sampleStartMs } from "../../../test/api/sample-release.ts";
import { ReleaseChanges } from "./release-changes.ts";

test("a line for each change, and none for what stays", () => {
  const changes = new ReleaseChanges();
  expect(changes.take([sampleRelease({ live: sampleLive(10) })])).toEqual([
    "2026-11-21T10:00:01Z sample-ns/to-green weights moved and proved",
    "2026-11-21T10:00:01Z sample-ns/to-green is holding, step 2 of 4: holds until its time is over, or until it is promoted",
    "2026-11-21T10:05:00Z sample-ns/to-green weights of rule 1 (public) of sample-ns/sample-app: wanted blue 90 %, green 10 %; observed blue 90 %, green 10 %",
  ]);
  const later = { ...sampleLive(10), atMs: sampleStartMs + 400_000 };
  expect(changes.take([sampleRelease({ live: later })])).toEqual([]);
  // An event comes without a look at the proxies.
  expect(changes.take([sampleRelease()])).toEqual([]);
  expect(changes.take([sampleRelease({ live: sampleLive(50) })])).toEqual([
    expect.stringContaining("NOT AS WANTED, wanted blue 90 %, green 10 %; observed blue 50 %, green 50 %"),
  ]);
});

test("what happens twice in the same words is told twice", () => {
  const changes = new ReleaseChanges();
  changes.take([sampleRelease()]);
  const lastEvent = { kind: "moved", atMs: sampleStartMs + 700_000, failed: 0, move: "m2" } as const;
  expect(changes.take([sampleRelease({ lastEvent })])).toEqual([
    "2026-11-21T10:11:40Z sample-ns/to-green weights moved and proved",
  ]);
});
