import { expect, test } from "vitest";
import { ReleaseProcess, web } from "../../../test/release-process.fixture.ts";
import type { ReleaseStatus } from "../../api/types.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { takeUp } from "./take-up.ts";

/** What a process has left that ended while `shop/r` was in this phase. */
async function leave(strategy: string, phase: ReleaseStatus["phase"]): Promise<ReleaseProcess> {
  const before = new ReleaseProcess();
  before.start(strategy);
  await before.until(phase);
  await before[Symbol.asyncDispose]();
  return new ReleaseProcess(before);
}

function tell(process: ReleaseProcess, command: ReleaseCommand | undefined): ReleaseStatus["phase"] | undefined {
  const order = command === undefined ? undefined : { command, actor: "ann" };
  let told: ReleaseStatus["phase"] | undefined;
  takeUp(process.releases, { release: "shop/r", order, onTold: ({ phase }) => (told = phase) });
  return told;
}

test("a release is told before a hold that is over lets its next step begin", async () => {
  await using process = await leave("{steps: [{weight: 10}, {hold: {duration: 300ms}}, {weight: 60}]}", "holding");
  await expect.poll(() => (process.releases.get("r").untilMs ?? 0) < Date.now()).toBe(true);
  expect(tell(process, { kind: "abort" })).toBe("aborted");
  expect(await process.weightOfGreen(web)).toBe(10);
});

test("a release that has nothing to be told goes on as it was left", async () => {
  await using process = await leave("{steps: [{weight: 10}, {hold: {duration: 300ms}}, {weight: 60}]}", "holding");
  expect(tell(process, undefined)).toBe("holding");
  await process.until("done");
  expect(await process.weightOfGreen(web)).toBe(60);
});

test("what follows from an order is carried out once, and other releases stay where they are", async () => {
  const before = new ReleaseProcess();
  before.start("{steps: [{weight: 10}, {hold: {}}, {weight: 60}]}", { routes: "[{virtualService: web}]" });
  const due = "{steps: [{weight: 20}, {hold: {duration: 300ms}}, {weight: 70}]}";
  await before.until("holding");
  before.start(due, { name: "other", routes: "[{virtualService: api}]" });
  await expect.poll(() => before.releases.get("other").phase).toBe("holding");
  await before[Symbol.asyncDispose]();

  await using process = new ReleaseProcess(before);
  await expect.poll(() => (process.releases.get("other").untilMs ?? 0) < Date.now()).toBe(true);
  const applied = process.target.applied.length;
  expect(tell(process, { kind: "promote", full: false })).toBe("moving");
  await process.until("done");
  expect(process.target.applied.length - applied).toBe(1);
  expect(process.releases.get("other").phase).toBe("holding");
});

test("a release that cannot be told that now stays where it is", async () => {
  await using process = await leave("{steps: [{weight: 10}, {hold: {}}, {weight: 60}]}", "holding");
  expect(() => tell(process, { kind: "retry" })).toThrow(
    "shop/r cannot be tried again now, because nothing has failed.",
  );
  expect(process.releases.get("r").phase).toBe("holding");
});
