import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { SplitWeights } from "../../src/core/routes/route-table.ts";
import { foldJournal, type JournalState } from "../../src/engine/fold-journal.ts";
import { readJournal } from "../../src/engine/journal.ts";
import { readWorld, writeWorld } from "./file-world.ts";
import { type SwitchOrder, table } from "./switch-process.ts";

const folder = mkdtempSync(join(tmpdir(), "kirikae-crash-"));
afterAll(() => rmSync(folder, { recursive: true }));

const declared = new Map<string, SplitWeights>(
  table.httpRoutings
    .flatMap(({ virtualHosts }) => virtualHosts.flatMap(({ routes }) => routes.map(({ action }) => action)))
    .filter((action) => action.kind === "forward")
    .map(({ split }) => [split.id, Object.fromEntries(split.arms.map((arm) => [arm.destination, arm.weight]))]),
);

let worlds = 0;

function createOrder(more: Partial<SwitchOrder> = {}): SwitchOrder {
  worlds += 1;
  const world = join(folder, `world-${worlds}.json`);
  writeWorld(world, declared);
  return { journal: join(folder, `journal-${worlds}.sqlite`), world, thenSwitch: true, failing: 0, ...more };
}

interface Ending {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly results: readonly unknown[];
}

async function run(order: SwitchOrder): Promise<Ending> {
  const program = fileURLToPath(new URL("switch-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const results: readonly unknown[] = output === "" ? [] : JSON.parse(output);
      resolve({ code, signal, results });
    });
  });
}

function readState({ journal }: SwitchOrder): JournalState {
  return foldJournal(readJournal(journal));
}

/** The one thing that must hold after any crash: what is live is what the journal says, and nothing is half done. */
function expectWorldToEqualJournal(order: SwitchOrder): JournalState {
  const state = readState(order);
  expect(state.unfinished.size).toBe(0);
  const expected = new Map(
    [...declared].map(([split, weights]) => [split, state.placements.get(split)?.weights ?? weights]),
  );
  expect(readWorld(order.world)).toEqual(expected);
  return state;
}

async function restart(order: SwitchOrder): Promise<Ending> {
  const { journal, world } = order;
  const ending = await run({ journal, world, thenSwitch: false, failing: 0 });
  expect(ending).toMatchObject({ code: 0 });
  return ending;
}

describe("a switch that is killed", () => {
  test.each([
    ["before the intent is written", { journalCrash: { write: 1, when: "before" } }, []],
    [
      "after the intent is written",
      { journalCrash: { write: 1, when: "after" } },
      [{ outcome: "restored", found: "before" }],
    ],
    ["before the apply", { applyCrash: { apply: 1, when: "before" } }, [{ outcome: "restored", found: "before" }]],
    [
      "in the middle of the apply",
      { applyCrash: { apply: 1, when: "middle" } },
      [{ outcome: "restored", found: "other" }],
    ],
    ["after the apply", { applyCrash: { apply: 1, when: "after" } }, [{ outcome: "completed", found: "after" }]],
    [
      "before the outcome is written",
      { journalCrash: { write: 2, when: "before" } },
      [{ outcome: "completed", found: "after" }],
    ],
    ["after the outcome is written", { journalCrash: { write: 2, when: "after" } }, []],
  ] as const)("%s ends whole", async (_, crash, recoveries) => {
    const order = createOrder(crash);
    expect(await run(order)).toMatchObject({ signal: "SIGKILL" });
    expect(await restart(order)).toMatchObject({ results: recoveries });
    const state = expectWorldToEqualJournal(order);
    expect(state.history.filter(({ verb }) => verb === "recovery")).toHaveLength(recoveries.length);
    expect(state.history.every(({ outcome }) => outcome !== "running")).toBe(true);
  });
});

describe("a switch that is being taken back and is killed", () => {
  test.each([
    ["before it says so", { journalCrash: { write: 2, when: "before" } }, [{ outcome: "restored", found: "other" }]],
    ["after it said so", { journalCrash: { write: 2, when: "after" } }, [{ outcome: "restored", found: "other" }]],
    [
      "before the weights go back",
      { applyCrash: { apply: 2, when: "before" } },
      [{ outcome: "restored", found: "other" }],
    ],
    [
      "while the weights go back",
      { applyCrash: { apply: 2, when: "middle" } },
      [{ outcome: "restored", found: "before" }],
    ],
    [
      "after the weights went back",
      { applyCrash: { apply: 2, when: "after" } },
      [{ outcome: "restored", found: "before" }],
    ],
    [
      "before the outcome is written",
      { journalCrash: { write: 3, when: "before" } },
      [{ outcome: "restored", found: "before" }],
    ],
    ["after the outcome is written", { journalCrash: { write: 3, when: "after" } }, []],
  ] as const)("%s ends restored", async (_, crash, recoveries) => {
    const order = createOrder({ failing: 1, ...crash });
    expect(await run(order)).toMatchObject({ signal: "SIGKILL" });
    expect(await restart(order)).toMatchObject({ results: recoveries });
    const state = expectWorldToEqualJournal(order);
    expect(state.placements.size).toBe(0);
    expect(state.history.at(0)).toMatchObject({ verb: "switch", outcome: "restored" });
  });
});

describe("a recovery that is killed", () => {
  test.each([
    [{ journalCrash: { write: 1, when: "before" } }],
    [{ journalCrash: { write: 1, when: "after" } }],
    [{ applyCrash: { apply: 1, when: "before" } }],
    [{ applyCrash: { apply: 1, when: "middle" } }],
    [{ applyCrash: { apply: 1, when: "after" } }],
    [{ journalCrash: { write: 2, when: "before" } }],
    [{ journalCrash: { write: 2, when: "after" } }],
  ] as const)("%j is taken up by the next one", async (crash) => {
    const order = createOrder({ applyCrash: { apply: 1, when: "middle" } });
    expect(await run(order)).toMatchObject({ signal: "SIGKILL" });
    const { journal, world } = order;
    expect(await run({ journal, world, thenSwitch: false, failing: 0, ...crash })).toMatchObject({ signal: "SIGKILL" });
    await restart(order);
    const state = expectWorldToEqualJournal(order);
    expect(state.history.map(({ verb, outcome }) => `${verb} ${outcome}`)).toEqual([
      "switch restored",
      "recovery restored",
    ]);
  });
});

test("the next switch after a crash works as ever", async () => {
  const order = createOrder({ applyCrash: { apply: 1, when: "middle" } });
  expect(await run(order)).toMatchObject({ signal: "SIGKILL" });
  const { journal, world } = order;
  expect(await run({ journal, world, thenSwitch: true, failing: 0 })).toMatchObject({
    code: 0,
    results: [{ outcome: "restored" }, { ok: true, outcome: "done" }],
  });
  const state = expectWorldToEqualJournal(order);
  expect(state.placements.size).toBe(2);
});
