import { expect, test } from "vitest";
import { ReleaseProcess } from "../../../../test/release-process.fixture.ts";

/** What `ann` could say, as words, and what would follow. */
function choices(process: ReleaseProcess, actor = "ann"): Readonly<Record<string, string>> {
  return Object.fromEntries(
    process.releases
      .choices("shop/r", actor)
      .map(({ command, consequence }) => [
        command.kind === "promote" && command.full ? "promote --full" : command.kind,
        consequence,
      ]),
  );
}

test("offers what each phase can take, and says where it leads", async () => {
  await using process = new ReleaseProcess();
  process.start("{steps: [{weight: 10}, {hold: {}}, {approve: {people: 2}}, {switch: {}}]}");
  await process.until("holding");
  expect(choices(process)).toEqual({
    promote: "Ends what step 2 of 4 waits for. Goes on with step 3 of 4, approve: the yes of 2 people.",
    "promote --full":
      "Passes every hold and check that is left; approvals stay. Goes on with step 3 of 4, approve: the yes of 2 people.",
    pause: "Stops at step 2 of 4. Weights stay as they are, and nothing goes on until somebody resumes it.",
    rollback:
      "Takes everything back to before the release: shop/api to blue 100 %, green 0 %; shop/web to blue 100 %, green 0 %.",
    abort: "Ends the release at step 2 of 4. Weights stay as they are, and so does what it has added to the routes.",
  });
  process.order("promote");
  expect(Object.keys(choices(process)).toSorted()).toEqual(["abort", "approve", "pause", "reject", "rollback"]);
  expect(choices(process)["approve"]).toBe("Counts your yes: waits for 1 of 2 approvals, approved by ann.");
  process.order("approve", "ann");
  expect(choices(process)).not.toHaveProperty("approve");
  expect(choices(process, "bob")["approve"]).toBe(
    "Counts your yes, the last that was missing. Goes on with step 4 of 4, switch: everything to green.",
  );
  process.order("approve", "bob");
  await process.until("done");
  expect(Object.keys(choices(process))).toEqual(["rollback"]);
});

test("everything that is offered is taken", async () => {
  for (const kind of ["promote", "pause", "rollback", "abort"] as const) {
    await using process = new ReleaseProcess();
    process.start("{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}");
    await process.until("holding");
    expect(Object.keys(choices(process))).toContain(kind);
    process.order(kind);
    await process.releases[Symbol.asyncDispose]();
  }
});
