import { expect, test } from "vitest";
import { bySubset, ReleaseProcess } from "../../test/release-process.fixture.ts";
import { sumCounts } from "../core/release/report/traffic-span.ts";
import type { JournalRecord, StoredRecord } from "../engine/journal-record.ts";
import type { Journal } from "../engine/journal.ts";

/** A disk that is full while it is told to be. */
class FullDisk implements Journal {
  isFull = false;
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  append(record: JournalRecord): number {
    if (this.isFull) throw new Error("The disk is full.");
    return this.#journal.append(record);
  }

  read(): readonly StoredRecord[] {
    return this.#journal.read();
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }
}

/** What proxies have counted by now. */
function look(process: ReleaseProcess, blue: number, green: number): void {
  const atMs = Date.now();
  const counters = new Map([
    [bySubset("blue"), { requests: blue, errors: 0 }],
    [bySubset("green"), { requests: green, errors: 1 }],
  ]);
  process.releases.addReading({ askedMs: atMs, answeredMs: atMs, proxies: "gateway 1", counters });
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setTimeout(resolve, 1));
}

test("every event says what was answered before it, and a full disk loses none of it", async () => {
  let disk: FullDisk | undefined;
  await using process = new ReleaseProcess(undefined, (journal) => (disk = new FullDisk(journal)));
  if (disk === undefined) throw new Error("The process has no journal.");
  look(process, 500, 7);
  process.start("{steps: [{weight: 10}, {hold: {}}, {weight: 50}]}");
  await process.until("holding");
  await nextMillisecond();
  look(process, 590, 17);
  disk.isFull = true;
  expect(() => process.order("promote")).toThrow("The disk is full.");
  disk.isFull = false;
  await nextMillisecond();
  look(process, 600, 18);
  expect(process.releases.report("shop/r")).toMatchObject({ newVersion: { requests: 11, failed: 0 } });
  process.order("promote");
  await process.until("done");
  const [release] = process.engine.releases();
  const spans = release?.traffic.filter((span) => span !== undefined) ?? [];
  expect(spans).toHaveLength(release?.events.length ?? 0);
  expect(sumCounts(spans.map(({ versions }) => versions))).toEqual({
    blue: { requests: 100, errors: 0 },
    green: { requests: 11, errors: 0 },
  });
  expect(process.releases.report("shop/r")).toMatchObject({
    counted: { requests: 111, isComplete: true },
    steps: [{}, { kind: "hold", counted: { requests: 111 } }, {}],
  });
});

test("a release goes on where nobody counts, and its report says so", async () => {
  await using process = new ReleaseProcess();
  process.start("{steps: [{weight: 10}, {hold: 10ms}, {weight: 50}]}");
  await process.until("done");
  expect(process.releases.report("shop/r")).toMatchObject({
    phase: "done",
    counted: { requests: 0, isComplete: false },
  });
});
