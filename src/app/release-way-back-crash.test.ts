import { describe, expect, test, vi } from "vitest";
import { MortalJournal } from "../../test/mortal-journal.fixture.ts";
import { api, ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import type { ReleaseStatus } from "../api/types.ts";

interface Journey {
  /** Gives the release what it waits for; true at the end. */
  drive(process: ReleaseProcess, status: ReleaseStatus): boolean;
  readonly strategy: string;
}

const asked = ({ events }: ReleaseStatus): number => events.filter(({ kind }) => kind === "rollback").length;

/** Done, back in two parts because an endpoint is missing, and brought back. */
const partialWayBack: Journey = {
  strategy: "{blueGreen: {}}",
  drive(process, status) {
    if (status.phase === "done" && asked(status) === 0) {
      process.ready = { blue: 2, green: 4 };
      process.order("rollback");
      return false;
    }
    if (status.message.includes("50 % is back")) process.ready = { blue: 4, green: 4 };
    if (status.phase === "rolledBack") process.order("rollback");
    return status.phase === "done";
  },
};

/** Weights by hand, taken back and brought back. */
const weightsByHand: Journey = {
  strategy: "{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}",
  drive(process, status) {
    const isSet = status.message.includes("30 % set by ann");
    if (status.phase === "holding" || (status.phase === "paused" && !isSet && asked(status) === 0)) {
      process.releases.order("shop/r", { command: { kind: "set", shares: 30 }, actor: "ann" });
      return false;
    }
    if (status.phase === "rolledBack" || isSet) process.order("rollback");
    return status.phase === "paused" && asked(status) > 0;
  },
};

function drive(process: ReleaseProcess, journey: Journey): boolean {
  const [status] = process.releases.list();
  if (status === undefined) {
    process.ready = { blue: 4, green: 4 };
    process.start(journey.strategy);
    return false;
  }
  if (status.phase === "failed") process.order("retry");
  return journey.drive(process, status);
}

async function toItsEnd(process: ReleaseProcess, journey: Journey): Promise<readonly number[]> {
  await vi.waitFor(() => {
    if (!drive(process, journey))
      throw new Error(JSON.stringify(process.releases.list().map(({ message }) => message)));
  }, 12_000);
  for (const weights of process.target.applied) {
    for (const each of weights.values()) expect(Object.values(each).some((weight) => weight > 0)).toBe(true);
  }
  return [await process.weightOfGreen(web), await process.weightOfGreen(api)];
}

async function dieAt(journey: Journey, write: number, when: "before" | "after"): Promise<readonly number[]> {
  let mortal: MortalJournal | undefined;
  const first = new ReleaseProcess(
    undefined,
    (journal) => (mortal = new MortalJournal(journal, write, when === "after")),
  );
  await vi.waitFor(() => {
    try {
      drive(first, journey);
    } catch (error) {
      if (mortal?.isDead !== true) throw error;
    }
    if (mortal?.isDead !== true) throw new Error("It lives.");
  }, 12_000);
  await first.die();
  await using second = new ReleaseProcess(first);
  second.ready = first.ready;
  await second.engine.recover();
  second.releases.resume();
  return await toItsEnd(second, journey);
}

/** How many writes the journeys have when nobody dies; a test holds them against it. */
const writesOf = { partialWayBack: 18, weightsByHand: 18 } as const;

const deaths = (count: number): readonly (readonly [number, "before" | "after"])[] =>
  Array.from({ length: count }, (_, index) => index + 1).flatMap((write) => [
    [write, "before"] as const,
    [write, "after"] as const,
  ]);

describe.concurrent("a process that dies at any write of the journal is followed by one that ends", () => {
  test.each(deaths(writesOf.partialWayBack))(
    "a way back in parts, and its undo: write %i, %s",
    { timeout: 40_000 },
    async (write, when) => expect(await dieAt(partialWayBack, write, when)).toEqual([100, 100]),
  );

  test.each(deaths(writesOf.weightsByHand))(
    "weights by hand, their way back and its undo: write %i, %s",
    { timeout: 40_000 },
    async (write, when) => expect(await dieAt(weightsByHand, write, when)).toEqual([30, 30]),
  );

  test.each([
    [partialWayBack, writesOf.partialWayBack],
    [weightsByHand, writesOf.weightsByHand],
  ])("every write is one of those", { timeout: 40_000 }, async (journey, writes) => {
    let journal: MortalJournal | undefined;
    await using process = new ReleaseProcess(
      undefined,
      (inner) => (journal = new MortalJournal(inner, Number.POSITIVE_INFINITY, true)),
    );
    await toItsEnd(process, journey);
    expect(journal?.writes).toBe(writes);
  });
});
