import { expect, test } from "vitest";
import type { MovePlan } from "../../core/release/move/move.ts";
import type { ReleasePlan } from "../../core/release/plan/plan-release.ts";
import type { JournalRecord, StoredRecord } from "../../engine/journal-record.ts";
import { checkJournal, findContradictions } from "./check-journals.ts";
import type { OwnedRecords } from "./journal-chunk.ts";
import { JournalFights } from "./journal-fights.ts";

const at = "2026-01-01T00:00:00.000Z";
const owner = { namespace: "shop", name: "a" };
const strict = { secrets: false, otherNamespaces: false };

function begin(id: string, plan: object = {}): JournalRecord {
  const spec = { routes: [{ namespace: "shop", virtualService: "web" }], to: "green" };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of a plan as anybody would forge.
  const forged = { release: "shop/a", to: "green", steps: [], spec, ...plan } as unknown as ReleasePlan;
  return { type: "release", id, at, plan: forged, actor: "ann", reason: null };
}

function move(id: string, change: object): JournalRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of a plan as anybody would forge.
  const plan = { virtualService: "shop/web", versions: [], changes: [change] } as unknown as MovePlan;
  return { type: "intent", id, at, plan };
}

function store(...records: readonly JournalRecord[]): readonly StoredRecord[] {
  return records.map((record, index) => ({ seq: index + 1, record }));
}

function check(...records: readonly JournalRecord[]): void {
  checkJournal({ records: store(...records) }, owner, strict);
}

const ownStep = { moves: [{ virtualService: "shop/web", changes: [{ split: "shop/web/public" }] }] };

test("what a Release has done in its namespace is its own", () => {
  const started: JournalRecord = { type: "releaseEvent", id: "r1", at, event: { kind: "start", atMs: 1 } };
  const laid = { kind: "preview", addition: { kind: "preview", to: { "shop/web/public": "outbound|80|green|web" } } };
  const records = [begin("r1", { steps: [ownStep, laid] }), started, move("m3", { split: "shop/web/public" })];
  expect(() => check(...records)).not.toThrow();
});

const elsewhere = { split: "pay/web/public" };
test.each<readonly [string, readonly JournalRecord[]]>([
  ["another Release", [begin("r1", { release: "pay/a" })]],
  ["a release that it has not begun", [{ type: "releaseEvent", id: "r9", at, event: { kind: "start", atMs: 1 } }]],
  ["a rule elsewhere", [move("m1", elsewhere)]],
  ["a rule elsewhere under its own name", [move("m1", { ...elsewhere, virtualService: "shop/web" })]],
  ["a VirtualService elsewhere", [move("m1", { split: "shop/web/public", virtualService: "pay/web" })]],
  ["a step elsewhere", [begin("r1", { steps: [{ moves: [{ virtualService: "shop/web", changes: [elsewhere] }] }] })]],
  ["a preview elsewhere", [begin("r1", { steps: [{ addition: { to: { "pay/web/public": "x" } } }] })]],
  ["a cookie elsewhere", [begin("r1", { steps: [{ addition: { splits: ["pay/web/public"] } }] })]],
  ["a DestinationRule elsewhere", [begin("r1", { steps: [{ edits: [{ destinationRule: "pay/web" }] }] })]],
  ["routes elsewhere", [begin("r1", { spec: { routes: [{ namespace: "pay", virtualService: "web" }] } })]],
  ["a secret", [begin("r1", { steps: [{ judge: { authentication: { token: { kind: "file", path: "/run/t" } } } }] })]],
])("%s is nothing that it can have done", (_name, records) => {
  expect(() => check(...records)).toThrow(expect.objectContaining({ code: "KIR4075" }));
});

test("what the controller allows its journals may say", () => {
  const secret = { authentication: { token: { kind: "file", path: "/run/t" } } };
  const records = store(begin("r1", { steps: [secret] }), move("m2", elsewhere));
  expect(() => checkJournal({ records }, owner, { secrets: true, otherNamespaces: true })).not.toThrow();
});

function journal(uid: string, ...records: readonly StoredRecord[]): OwnedRecords {
  const tail = { name: "", index: 0, resourceVersion: "", writer: "", generations: {}, bytes: 0, checksum: "" };
  return { uid, namespace: "shop", records, generations: new Map(), tail };
}

test("of two journals with one id, the one counts whose Release's status says so", () => {
  const journals = [journal("one", ...store(begin("r1"))), journal("two", ...store(begin("r1")))];
  const find = (uid: string, says: string) =>
    findContradictions(journals, (each) => ({ ...owner, release: each === uid ? says : undefined }));
  expect([...find("one", "r1").keys()]).toEqual(["two"]);
  expect([...find("one", "r2").keys()]).toEqual(["one", "two"]);
});

test("a number far from all others would leave none for those that follow", () => {
  const far = { seq: 999_999_999_999, record: begin("r7") };
  const journals = [journal("far", far), journal("one", ...store(begin("r1")))];
  expect([...findContradictions(journals, () => undefined).keys()]).toEqual(["far"]);
});

test("a controller steps down for the journals of a namespace once in ten minutes", () => {
  const fights = new JournalFights();
  expect(fights.stepsDownFor("shop", 0)).toBe(true);
  expect(fights.stepsDownFor("shop", 599_999)).toBe(false);
  expect(fights.stepsDownFor("pay", 599_999)).toBe(true);
  expect(fights.stepsDownFor("shop", 600_000)).toBe(true);
});
