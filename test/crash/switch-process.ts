import { planMove } from "../../src/core/release/move/plan-move.ts";
import { createSystemClock } from "../../src/engine/clock.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { openJournal } from "../../src/engine/journal.ts";
import { sketchTable } from "../route-table.fixture.ts";
import { crashingJournal, type JournalCrashPoint } from "./crashing-journal.ts";
import { type ApplyCrashPoint, FileWorld } from "./file-world.ts";

/** What a child process is told on its command line, as JSON. */
export interface SwitchOrder {
  readonly journal: string;
  readonly world: string;
  /** Recover first, as every start does; then switch, or only recover. */
  readonly thenSwitch: boolean;
  readonly failing: number;
  readonly journalCrash?: JournalCrashPoint;
  readonly applyCrash?: ApplyCrashPoint;
}

/** Scenario A: the testers' rule and the public one move together, so a half-done apply shows. */
export const table = sketchTable([
  {
    name: "sample-ns/sample-app",
    rules: [
      { name: "preview", header: "x-version: green", arms: { "nginx/green": 100 }, idle: ["nginx/blue"] },
      { name: "live", arms: { "nginx/blue": 100 }, idle: ["nginx/green"] },
    ],
  },
]);

async function carryOut(order: SwitchOrder): Promise<void> {
  using real = openJournal(order.journal);
  const journal = order.journalCrash === undefined ? real : crashingJournal(real, order.journalCrash);
  const target = new FileWorld({ file: order.world, failing: order.failing, crash: order.applyCrash });
  const engine = createEngine({ journal, target, clock: createSystemClock(), settleMs: 1, applyTimeoutMs: 200 });
  const recoveries = await engine.recover();
  const results: unknown[] = recoveries.map(({ outcome, found }) => ({ outcome, found }));
  if (order.thenSwitch) {
    const planning = planMove({
      table,
      current: engine.placements(),
      request: {
        verb: "switch",
        name: "sample-app",
        namespace: undefined,
        route: undefined,
        to: { green: 100 },
        actor: "crash test",
        reason: undefined,
      },
    });
    if (planning.kind === "refused") throw planning.error;
    const { ok, outcome } = await engine.move(planning.plan, () => undefined);
    results.push({ ok, outcome });
  }
  process.stdout.write(JSON.stringify(results));
}

if (import.meta.main) {
  const order: SwitchOrder = JSON.parse(process.argv[2] ?? "{}");
  await carryOut(order);
}
