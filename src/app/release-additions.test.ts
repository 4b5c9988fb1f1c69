import { expect, test } from "vitest";
import { ReleaseProcess, web } from "../../test/release-process.fixture.ts";

const staff = "{preview: {name: staff, match: [{headers: {x-staff: {}}}]}}";
const oneRoute = { routes: "[{virtualService: web}]" };

function laidBy(process: ReleaseProcess): readonly string[] {
  return process.current.laid.map(({ release, addition }) => `${release} ${addition.kind}`);
}

test("what a step adds is laid before the weights that need it, and goes after they are back", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {weight: 10}, {hold: {}}]}`, oneRoute);
  await process.until("holding");
  expect(laidBy(process)).toEqual(["shop/r preview"]);
  process.order("rollback");
  await process.until("rolledBack");
  expect([await process.weightOfGreen(web), laidBy(process)]).toEqual([0, []]);
});

test("a way back whose routes are refused puts the weights back first, and tries again until the routes are gone", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {weight: 10}, {hold: {}}]}`, oneRoute);
  await process.until("holding");
  process.refusesToLay = true;
  process.order("rollback");
  await expect.poll(() => process.releases.get("shop/r").message, { timeout: 5_000 }).toContain("refused to lay");
  expect([await process.weightOfGreen(web), laidBy(process)]).toEqual([0, ["shop/r preview"]]);
  process.refusesToLay = false;
  await process.until("rolledBack");
  expect(laidBy(process)).toEqual([]);
});

test("the way back of a release that has moved no weight takes away what it has laid", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {hold: {}}, {switch: {}}]}`, oneRoute);
  await process.until("holding");
  process.order("rollback");
  await process.until("rolledBack");
  expect(laidBy(process)).toEqual([]);
  expect(process.target.applied).toEqual([]);
});

test("routes that are refused fail the step, which can be tried again", async () => {
  await using process = new ReleaseProcess();
  process.refusesToLay = true;
  process.start(`{steps: [${staff}, {hold: {}}]}`, oneRoute);
  expect(await process.until("failed")).toMatchObject({ step: 1, message: expect.stringContaining("refused to lay") });
  expect(laidBy(process)).toEqual([]);
  process.refusesToLay = false;
  process.order("retry");
  await process.until("holding");
  expect(laidBy(process)).toEqual(["shop/r preview"]);
});

test("a release whose preview somebody takes out stops, and lays it again when it is told to go on", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {hold: {}}, {switch: {}}]}`, oneRoute);
  await process.until("holding");
  process.current.laid = [];
  process.releases.checkWeights();
  const failed = await process.until("failed");
  expect(failed.message).toBe("step 2 failed: somebody has taken it out; retry, roll back or abort");
  expect(laidBy(process)).toEqual([]);
  process.order("retry");
  await process.until("holding");
  await expect.poll(() => laidBy(process)).toEqual(["shop/r preview"]);
  process.releases.checkWeights();
  expect(process.releases.get("shop/r").phase).toBe("holding");
});

test("a preview that cannot be laid again stops the release again", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {hold: {}}, {switch: {}}]}`, oneRoute);
  await process.until("holding");
  process.current.laid = [];
  process.releases.checkWeights();
  await process.until("failed");
  process.refusesToLay = true;
  expect(process.order("retry").phase).toBe("holding");
  expect((await process.until("failed")).message).toContain("it could not be laid again: refused to lay");
});

test("what is taken out while weights move is seen when they have moved", async () => {
  await using process = new ReleaseProcess();
  process.look = async () => {
    if (process.target.applied.length > 0) process.current.laid = [];
  };
  process.start(`{steps: [${staff}, {weight: 10}, {hold: {}}]}`, oneRoute);
  expect((await process.until("failed")).message).toContain("somebody has taken it out");
  expect(await process.weightOfGreen(web)).toBe(10);
});

test("a release that was stopped keeps its preview until another one of the same rule moves weights", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {hold: {}}]}`, oneRoute);
  await process.until("holding");
  process.order("abort");
  await process.until("aborted");
  expect(laidBy(process)).toEqual(["shop/r preview"]);
  process.start("{steps: [{weight: 10}, {hold: {}}]}", oneRoute);
  await process.until("holding");
  expect(laidBy(process)).toEqual([]);
});

test("the next process knows what is laid from the journal alone", async () => {
  const first = new ReleaseProcess();
  first.start(`{steps: [${staff}, {hold: {}}]}`, oneRoute);
  await first.until("holding");
  await first[Symbol.asyncDispose]();
  await using second = new ReleaseProcess(first);
  second.releases.resume();
  expect(second.releases.additions()).toEqual(first.current.laid);
});

test("the end of a release leaves nothing over the routes", async () => {
  await using process = new ReleaseProcess();
  process.start(`{steps: [${staff}, {mirror: {percent: 5}}, {switch: {}}]}`, oneRoute);
  await process.until("done");
  expect([await process.weightOfGreen(web), laidBy(process)]).toEqual([100, []]);
});
