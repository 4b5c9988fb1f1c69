import { expect, test } from "vitest";
import { ReleaseProcess } from "../../test/release-process.fixture.ts";
import type { ReleaseEntry, TimelineEntry } from "../engine/report.ts";

function tell(entries: readonly TimelineEntry[]): readonly string[] {
  return entries.map((entry) =>
    "release" in entry
      ? `${entry.release} ${entry.what.replace(/ \(account .*\)$/u, "")}`
      : `${entry.virtualService} ${entry.verb} ${entry.outcome}`,
  );
}

test("moves and what happened to releases are one story", async () => {
  await using process = new ReleaseProcess();
  await process.shift(20);
  await process.shift(0);
  process.start("{steps: [{weight: 10}, {approve: {}}, {switch: {}}]}");
  await process.until("awaiting");
  process.order("approve", "bob");
  await process.until("done");
  const ofRelease = ["shop/r begun, to green", "shop/web shift done", "shop/r approved by bob", "shop/web switch done"];
  expect(tell(process.engine.timeline())).toEqual(["shop/web shift done", "shop/web shift done", ...ofRelease]);
  expect(tell(process.engine.timeline("r"))).toEqual(ofRelease);
  expect(tell(process.engine.timeline("shop/r"))).toEqual(ofRelease);
  // It moves both services in the same instant.
  expect(tell(process.engine.timeline("api"))).toEqual(ofRelease);
  expect(process.engine.timeline("nobody")).toEqual([]);
  const approval = process.engine
    .timeline("r")
    .find((entry): entry is ReleaseEntry => "release" in entry && entry.event === "approve");
  expect(approval).toMatchObject({ actor: "bob", services: ["shop/web", "shop/api"], event: "approve" });
});
