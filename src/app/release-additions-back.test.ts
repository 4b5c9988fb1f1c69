import { expect, test } from "vitest";
import { ReleaseProcess } from "../../test/release-process.fixture.ts";

const strategy =
  "{steps: [{preview: {name: testers, match: [{headers: {x-tester: {exact: '1'}}}]}}, {weight: 10}, {hold: {}}, {switch: {}}, {finish: {}}]}";

const laid = ({ current }: ReleaseProcess): readonly string[] => current.laid.map(({ addition }) => addition.kind);

test("the undo of a way back lays again what the release had laid over the routes, before the weights move", async () => {
  await using process = new ReleaseProcess();
  process.start(strategy);
  await process.until("holding");
  expect(laid(process)).toEqual(["preview"]);
  for (let round = 0; round < 2; round += 1) {
    process.order("rollback");
    await process.until("rolledBack");
    expect(laid(process)).toEqual([]);
    process.order("rollback");
    await process.until("paused");
    expect(laid(process)).toEqual(["preview"]);
  }
  process.order("promote");
  await process.until("done");
  expect(laid(process)).toEqual([]);
});

test("an undo that fails takes away again what it has laid", async () => {
  await using process = new ReleaseProcess();
  process.start(strategy);
  await process.until("holding");
  process.order("rollback");
  await process.until("rolledBack");
  process.target.behave({ kind: "reject", message: "no such cluster" });
  process.order("rollback");
  await expect
    .poll(() => process.releases.get("shop/r").message)
    .toContain("was not brought back to where it was: restored");
  expect(laid(process)).toEqual([]);
  process.refusesToLay = true;
  process.order("rollback");
  await expect.poll(() => process.releases.get("shop/r").message).toContain("refused to lay");
  expect(process.defects.splice(0)).toEqual([expect.objectContaining({ code: "KIR2041" })]);
  process.refusesToLay = false;
  process.order("rollback");
  await process.until("paused");
  expect(laid(process)).toEqual(["preview"]);
});

test("proxies that refuse their routes keep nothing from going back, and something from being laid again", async () => {
  await using process = new ReleaseProcess();
  process.start(strategy);
  await process.until("holding");
  process.refusesToLay = "forward";
  process.order("rollback");
  await process.until("rolledBack");
  expect(laid(process)).toEqual([]);
  process.order("rollback");
  await expect.poll(() => process.releases.get("shop/r").message).toContain("refused to lay");
  expect(laid(process)).toEqual([]);
});

test("a way back in parts keeps what was laid until everything is back", async () => {
  await using process = new ReleaseProcess();
  process.ready = { blue: 4, green: 4 };
  process.start(strategy);
  await process.until("holding");
  process.ready = { blue: 3, green: 4 };
  process.order("rollback");
  await expect.poll(() => process.releases.get("shop/r").message).toContain("3 of 4 endpoints of blue are ready");
  expect(laid(process)).toEqual(["preview"]);
  process.ready = { blue: 4, green: 4 };
  await process.until("rolledBack");
  expect(laid(process)).toEqual([]);
});
