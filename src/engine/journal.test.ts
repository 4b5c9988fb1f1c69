import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { createPrivateFile } from "./create-private-file.ts";
import { foldJournal } from "./fold-journal.ts";
import { type JournalRecord, parseRecord, type StoredRecord } from "./journal-record.ts";
import { openJournal, readJournal } from "./journal.ts";
import { reportRelease } from "./report-release.ts";
import type { ReleaseEvent } from "../core/release/state/release-state.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `journal-${files}.sqlite`);
}

function restoring(id: string): JournalRecord {
  return { type: "restoring", id, at: "2026-01-01T00:00:00.000Z", reason: "a proxy refused" };
}

function filled(count: number): string {
  const file = newFile();
  using journal = openJournal(file);
  for (let index = 1; index <= count; index += 1) journal.append(restoring(`m${index}`));
  return file;
}

/** Changes the file as a fault would, past the triggers that keep programs from it. */
function tamper(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(`DROP TRIGGER records_are_not_changed; DROP TRIGGER records_are_not_removed; ${sql}`);
  database.close();
}

describe("the journal", () => {
  test("gives back what was written, in order and over restarts", () => {
    const file = filled(2);
    using journal = openJournal(file);
    expect(journal.append(restoring("m3"))).toBe(3);
    expect(journal.read()).toEqual([1, 2, 3].map((seq) => ({ seq, record: restoring(`m${seq}`) })));
  });

  test("is closed to others, its side files too", () => {
    const file = newFile();
    using journal = openJournal(file);
    journal.append(restoring("m1"));
    for (const suffix of ["", "-wal", "-shm"]) expect(statSync(`${file}${suffix}`).mode & 0o777).toBe(0o600);
  });

  test("can be read by another process while it is written", () => {
    const file = newFile();
    using journal = openJournal(file);
    journal.append(restoring("m1"));
    const program = `import { readJournal } from ${JSON.stringify(new URL("journal.ts", import.meta.url).href)};
      process.stdout.write(String(readJournal(${JSON.stringify(file)}).length));`;
    const read = () => execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(read()).toBe("1");
    journal.append(restoring("m2"));
    expect(read()).toBe("2");
  });

  test("takes no record once its file was removed or replaced", () => {
    const file = newFile();
    using journal = openJournal(file);
    journal.append(restoring("m1"));
    rmSync(file);
    expect(() => journal.append(restoring("m2"))).toThrow(/was removed or replaced/);
    copyFileSync(filled(1), file);
    expect(() => journal.append(restoring("m2"))).toThrow(/was removed or replaced/);
  });

  test("refuses changes and removals", () => {
    const file = filled(1);
    const database = new DatabaseSync(file);
    expect(() => database.exec("UPDATE records SET body = '{}'")).toThrow("append-only");
    expect(() => database.exec("DELETE FROM records")).toThrow("append-only");
    database.close();
  });

  test("is opened a second time without losing the locks of the first", () => {
    const file = newFile();
    using journal = openJournal(file);
    const writer = new DatabaseSync(file);
    writer.exec("BEGIN IMMEDIATE");
    createPrivateFile(file);
    const program = `import { DatabaseSync } from "node:sqlite";
      try { new DatabaseSync(${JSON.stringify(file)}).exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE"); process.stdout.write("taken"); }
      catch (error) { process.stdout.write(String(error.errcode)); }`;
    const tried = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    writer.close();
    expect(tried).toBe("5");
    expect(journal.read()).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("can be opened after a kill -9 before statement %i of its first start", (nth) => {
    const file = newFile();
    const program = `import { DatabaseSync } from "node:sqlite";
      import { openJournal } from ${JSON.stringify(new URL("journal.ts", import.meta.url).href)};
      const exec = DatabaseSync.prototype.exec;
      let statements = 0;
      DatabaseSync.prototype.exec = function (sql) {
        statements += 1;
        if (statements === ${nth}) process.kill(process.pid, "SIGKILL");
        return exec.call(this, sql);
      };
      openJournal(${JSON.stringify(file)});`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], { stdio: "inherit" });
    expect(child.signal).toBe("SIGKILL");
    expect(readJournal(file)).toEqual([]);
    using journal = openJournal(file);
    expect(journal.append(restoring("m1"))).toBe(1);
  });

  test("is not opened where SQLite cannot log ahead", () => {
    const file = newFile();
    const program = `import { DatabaseSync } from "node:sqlite";
      import { openJournal } from ${JSON.stringify(new URL("journal.ts", import.meta.url).href)};
      const prepare = DatabaseSync.prototype.prepare;
      DatabaseSync.prototype.prepare = function (sql) {
        return prepare.call(this, sql.replace("journal_mode=WAL", "journal_mode=DELETE"));
      };
      try { openJournal(${JSON.stringify(file)}); } catch (error) { process.stdout.write(error.code + " " + error.message); }`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(said).toBe(`KIR2023 The journal at ${file} cannot be logged ahead: SQLite stays in delete mode.`);
  });

  test("that is not there is said to be missing when it is only read", () => {
    expect(() => readJournal(newFile())).toThrow(expect.objectContaining({ code: "KIR2023", exitStatus: 3 }));
  });
});

describe("a damaged journal", () => {
  test.each([
    [
      "a changed record",
      "UPDATE records SET body = replace(body, 'refused', 'applied') WHERE seq = 2",
      /record 2 is not as it was written/,
    ],
    ["a lost record", "DELETE FROM records WHERE seq = 2", /record 2 is missing/],
    [
      "a swapped record",
      "UPDATE records SET body = (SELECT body FROM records WHERE seq = 1) WHERE seq = 3",
      /record 3/,
    ],
  ])("with %s is neither read nor continued", (_, sql, message) => {
    const file = filled(3);
    tamper(file, sql);
    expect(() => readJournal(file)).toThrow(
      expect.objectContaining({ code: "KIR2020", message: expect.stringMatching(message) }),
    );
    expect(() => openJournal(file)).toThrow(expect.objectContaining({ code: "KIR2020" }));
  });

  test("that was cut short is an error", () => {
    const file = filled(200);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length / 2));
    expect(() => readJournal(file)).toThrow(expect.objectContaining({ code: "KIR2020" }));
  });

  test("that holds something else is an error", () => {
    const text = newFile();
    writeFileSync(text, "not a database, but long enough to look at ".repeat(50));
    expect(() => openJournal(text)).toThrow(expect.objectContaining({ code: "KIR2020" }));
    const foreign = newFile();
    const database = new DatabaseSync(foreign);
    database.exec("CREATE TABLE cookies (name TEXT)");
    database.close();
    expect(() => openJournal(foreign)).toThrow(/not a journal of kirikae/);
  });

  test("of a newer kirikae is left to that", () => {
    const file = filled(1);
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 4");
    database.close();
    expect(() => readJournal(file)).toThrow(expect.objectContaining({ code: "KIR2021" }));
    expect(() => parseRecord('{"format":4,"type":"intent"}', 7)).toThrow(expect.objectContaining({ code: "KIR2021" }));
  });

  test.each([
    ["not json", /is not JSON/],
    ["[]", /is not an object/],
    ['{"format":1,"type":"toString"}', /no known type/],
    ['{"format":1,"type":"restoring","id":"m1"}', /lacks at/],
    ['{"format":1,"type":"intent","id":"m1","at":"","plan":{}}', /plan without changes/],
  ])("with %s as a record is an error", (text, message) => {
    expect(() => parseRecord(text, 1)).toThrow(message);
  });

  test("with an end of what never began is an error", () => {
    expect(() => foldJournal([{ seq: 1, record: restoring("m9") }])).toThrow(/ends m9, which did not begin/);
  });
});

describe("a journal of the first format", () => {
  const golden = fileURLToPath(new URL("../../testdata/journals/v1/", import.meta.url));

  test("is still read from its file, record by record as it was written", () => {
    const file = newFile();
    copyFileSync(join(golden, "journal.sqlite"), file);
    expect(readJournal(file)).toEqual(readLines(golden));
  });

  test("still tells the same story", async () => {
    const state = foldJournal(readLines(golden));
    const story = {
      history: state.history,
      unfinished: [...state.unfinished.values()].map(({ id, restoring }) => ({ id, restoring: restoring ?? null })),
      placements: [...state.placements.values()],
    };
    await expect(`${JSON.stringify(story, undefined, 2)}\n`).toMatchFileSnapshot(join(golden, "story.json"));
  });
});

describe("a journal of the second format", () => {
  const golden = fileURLToPath(new URL("../../testdata/journals/v2/", import.meta.url));

  // What a release may do next is decided anew for each event that is read, so a change there can make old ones unread.
  test("still leads each release to where it was", async () => {
    const { releases } = foldJournal(readLines(golden));
    const story = releases.all.map(({ id, startedAt, reason, state: { phase, pausesAfterMove, skipsGates } }) => {
      // Of the state, what the second format knew.
      return { id, startedAt, reason, state: { phase, pausesAfterMove, skipsGates } };
    });
    await expect(`${JSON.stringify(story, undefined, 2)}\n`).toMatchFileSnapshot(join(golden, "story.json"));
  });
});

describe("a journal of the third format", () => {
  const golden = fileURLToPath(new URL("../../testdata/journals/v3/", import.meta.url));
  const known: Readonly<Record<ReleaseEvent["kind"], true>> = {
    start: true,
    moved: true,
    turned: true,
    partlyBack: true,
    moveFailed: true,
    timeUp: true,
    overdue: true,
    overruled: true,
    judged: true,
    promote: true,
    pause: true,
    resume: true,
    approve: true,
    reject: true,
    retry: true,
    abort: true,
    rollback: true,
    set: true,
  };

  test("still leads each release to where it was, and to what was counted", async () => {
    const { releases, history, timeline } = foldJournal(readLines(golden));
    const kinds = new Set(releases.all.flatMap(({ events }) => events.map(({ kind }) => kind)));
    expect([...kinds].toSorted()).toEqual(Object.keys(known).toSorted());
    const story = releases.all.map((release) => {
      const { counted, takenBack } = reportRelease(release, { atMs: 0, history });
      return { release: release.plan.release, state: release.state, counted, takenBack };
    });
    await expect(`${JSON.stringify({ story, timeline }, undefined, 2)}\n`).toMatchFileSnapshot(
      join(golden, "story.json"),
    );
  });
});

function readLines(golden: string): readonly StoredRecord[] {
  const lines = readFileSync(join(golden, "records.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line, index) => ({ seq: index + 1, record: parseRecord(line, index + 1) }));
}
