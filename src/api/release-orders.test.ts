import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeBackend } from "../../test/api/fake-backend.ts";
import { sampleRelease } from "../../test/api/sample-release.ts";
import { startApi, type RunningApi } from "./server.ts";

let folder: string;
let backend: FakeBackend;
let api: RunningApi;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-orders-"));
  backend = new FakeBackend();
  backend.releases.all = [sampleRelease({ release: "sample-ns/to-green" })];
  const files = { tokenFile: join(folder, "token"), addressFile: join(folder, "api.json") };
  api = await startApi(backend, { ...files, onDefect: () => {} });
});

afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function order(command: object): Promise<number> {
  const token = (await readFile(join(folder, "token"), "utf8")).trim();
  const answer = await fetch(`${api.url}/v1/releases/sample-ns/to-green/orders`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ command, actor: "ann" }),
  });
  return answer.status;
}

test.each([
  [{ kind: "rollback" }, { kind: "rollback" }],
  [
    { kind: "rollback", now: true },
    { kind: "rollback", now: true },
  ],
  [
    { kind: "rollback", now: false, despiteChanges: true },
    { kind: "rollback", despiteChanges: true },
  ],
  [
    { kind: "set", shares: 12.5 },
    { kind: "set", shares: 12.5 },
  ],
  [
    { kind: "set", shares: { green: 10, blue: 90 }, now: true },
    { kind: "set", shares: { green: 10, blue: 90 } },
  ],
  // Which share is missing is said where shares are planned.
  [{ kind: "set" }, { kind: "set", shares: {} }],
])("an order %j is taken as what belongs to it", async (given, taken) => {
  expect(await order(given)).toBe(200);
  expect(backend.releases.orders.map(({ command }) => command)).toEqual([taken]);
});

test.each([
  ["more than all", { kind: "set", shares: 101 }],
  ["less than nothing", { kind: "set", shares: { green: -1 } }],
  ["a share as text", { kind: "set", shares: "10" }],
  // Whether the new version gets more is found out here, and not believed.
  ["what is found out here", { kind: "set", shares: 10, raises: true }],
])("an order with %s is refused", async (_, command) => {
  expect(await order(command)).toBe(400);
  expect(backend.releases.orders).toEqual([]);
});
