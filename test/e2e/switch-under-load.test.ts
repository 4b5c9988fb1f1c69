import { get, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { clockFrom, readClock } from "../load/load-clock.ts";
import { countAnswers, isFailed } from "../load/load-summary.ts";
import { startLoad } from "../load/start-load.ts";
import { rounds } from "../crash/rounds.ts";
import { type CliResult, freePort, type RunningUp, Sandbox } from "./product.ts";

const host = "sample.hoge.com";
const app = ["sample-app", "-n", "sample-ns"];

interface SwitchJson {
  readonly ok: boolean;
  readonly from: string;
  readonly to: string;
  readonly callToProofMs: number;
  readonly proxies: readonly { readonly node: string; readonly ackMs: number }[];
  readonly ledger: {
    readonly requests: number;
    readonly ok: number;
    readonly failed: number;
    readonly byVersion: Readonly<Record<string, number>>;
    readonly lastOldMs: number | null;
    readonly oldAfterDone: number;
  };
}

function parsed(result: CliResult): SwitchJson {
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return JSON.parse(result.stdout) as SwitchJson;
}

async function startExample(sandbox: Sandbox): Promise<{ up: RunningUp; address: string; port: number }> {
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  return { up, port, address: `127.0.0.1:${port}` };
}

// `npm run bench:switch` does a thousand of them.
const switches = rounds({ test: 20, soak: 50 });
const shifts = rounds({ test: 10, soak: 20 });

test(`${switches} switches there and back under 3,000 requests/s lose nothing, and no old answer follows done`, async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { address } = await startExample(sandbox);
  const now = clockFrom(readClock());
  await using load = await startLoad({
    address,
    requests: [{ host }],
    durationMs: 280_000,
    newConnectionShare: 0.05,
  });
  const moves: { old: string; doneMs: number; nextCallMs: number }[] = [];
  for (let round = 0; round < switches; round += 1) {
    const to = round % 2 === 0 ? "green" : "blue";
    const callMs = now();
    const last = moves.at(-1);
    if (last !== undefined) last.nextCallMs = callMs;
    const result = parsed(await sandbox.cli(["switch", ...app, "--to", to, "--json"]));
    const doneMs = now();
    expect(result).toMatchObject({ ok: true, to, from: to === "green" ? "blue" : "green" });
    expect(result.ledger).toMatchObject({ failed: 0, oldAfterDone: 0 });
    expect(result.ledger.requests).toBe(result.ledger.ok + result.ledger.failed);
    expect(result.ledger.requests).toBeGreaterThan(0);
    expect(Object.values(result.ledger.byVersion).reduce((sum, count) => sum + count, 0)).toBe(result.ledger.requests);
    moves.push({ old: result.from, doneMs, nextCallMs: Number.POSITIVE_INFINITY });
  }
  const { records } = await load.stop();
  expect(records.filter(isFailed)).toEqual([]);
  for (const move of moves) {
    const until = records.filter((record) => record.sentMs < move.nextCallMs);
    expect(countAnswers(until, move.old, move.doneMs)).toBe(0);
  }
}, 300_000);

test(`${shifts} shifts are observed within statistical bounds, and the preview header always reaches the idle colour`, async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { address } = await startExample(sandbox);
  for (let round = 0; round < shifts; round += 1) {
    const percent = [10, 25, 50, 75, 5][round % 5] ?? 50;
    parsed(await sandbox.cli(["shift", ...app, "--to", `green=${percent}`, "--json"]));
    await using load = await startLoad({
      address,
      requests: [
        { host, name: "public", share: 3 },
        { host, name: "preview", share: 1, headers: { "x-version": "green" } },
      ],
      durationMs: 1_000,
    });
    const { records } = await load.result;
    expect(records.filter(isFailed)).toEqual([]);
    const publicRecords = records.filter((record) => record.request === 0);
    const green = publicRecords.filter((record) => record.version === "green").length;
    const share = percent / 100;
    // Five standard deviations: a true share fails this once in about two million rounds.
    const bound = 5 * Math.sqrt(publicRecords.length * share * (1 - share));
    expect(Math.abs(green - publicRecords.length * share)).toBeLessThan(bound);
    expect(new Set(records.filter((record) => record.request === 1).map((record) => record.version))).toEqual(
      new Set(["green"]),
    );
  }
}, 200_000);

test("a stream that began before the switch goes on after it, and new requests reach the new colour", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { port } = await startExample(sandbox);
  const stream = await open(port, "/events");
  const events: string[] = [];
  let ended = false;
  stream.on("data", (chunk: Buffer) => events.push(chunk.toString()));
  stream.on("end", () => (ended = true));
  await until(() => events.length > 2);
  parsed(await sandbox.cli(["switch", ...app, "--to", "green", "--json"]));
  expect((await open(port, "/")).headers["x-color"]).toBe("green");
  expect((await open(port, "/", { "x-version": "green" })).headers["x-color"]).toBe("blue");
  const before = events.length;
  await until(() => events.length > before + 10);
  expect(ended).toBe(false);
  expect(events.every((event) => event.includes('"blue"'))).toBe(true);
  stream.destroy();
});

test("rollback undoes, and rollback again goes forward again", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { port } = await startExample(sandbox);
  const colours = async () => [
    (await open(port, "/")).headers["x-color"],
    (await open(port, "/", { "x-version": "green" })).headers["x-color"],
  ];
  expect(await colours()).toEqual(["blue", "green"]);
  parsed(await sandbox.cli(["switch", ...app, "--to", "green", "--reason", "release 2", "--json"]));
  expect(await colours()).toEqual(["green", "blue"]);
  parsed(await sandbox.cli(["rollback", ...app, "--json"]));
  expect(await colours()).toEqual(["blue", "green"]);
  parsed(await sandbox.cli(["rollback", ...app, "--json"]));
  expect(await colours()).toEqual(["green", "blue"]);
  const history = await sandbox.cli(["history", "sample-app", "--json"]);
  expect(history.exitCode).toBe(0);
  expect(history.stdout).toContain("release 2");
});

function open(port: number, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false, headers: { host, ...headers } }, (response) => {
      if (path !== "/events") response.resume();
      resolve(response);
    });
    request.on("error", reject);
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error("waited 20 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
