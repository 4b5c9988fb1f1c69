import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { openJournal } from "../../src/engine/journal.ts";
import { renderCount, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import type { EngineSize } from "./engine-size.ts";
import { ManyServices } from "./many-services.ts";

/** Releases side by side on a real journal, and single switches of a service that none of them has. */
export async function benchMany(size: EngineSize): Promise<string> {
  const rows: string[][] = [];
  for (const concurrent of size.concurrent) {
    size.report(`${concurrent} releases at once`);
    rows.push(await measure(concurrent, size));
  }
  const header = [
    "releases at once",
    "until all are done",
    "journal writes",
    "event loop late, p99",
    "longest",
    "a switch beside them, median",
    "p99",
    "highest",
  ];
  const note =
    "Each release is a canary in five parts with a check of 2 s after each of the first four, so 8 s are waited for. " +
    "Weights are taken by a target that needs no time, and a switch is measured from its call until its end is on the disk.";
  return `${note}\n\n${renderTable(header, rows)}\n\n${benchJournal(size)}`;
}

async function measure(concurrent: number, { folder, switches }: EngineSize): Promise<string[]> {
  await using services = new ManyServices(join(folder, `journal-${concurrent}.sqlite`), concurrent);
  const late = monitorEventLoopDelay({ resolution: 1 });
  late.enable();
  const startedMs = performance.now();
  let isOver = false;
  const releases = services.release(concurrent).then(() => {
    isOver = true;
    return performance.now() - startedMs;
  });
  const took: number[] = [];
  for (let index = 0; concurrent === 0 ? index < switches : !isOver; index += 1) {
    took.push(await services.switchOnce(index % 2 === 0 ? "green" : "blue"));
    await delay(8_000 / switches);
  }
  const allMs = await releases;
  late.disable();
  const { median, p99, max } = spreadOf(took);
  return [
    renderCount(concurrent),
    concurrent === 0 ? "-" : renderMs(allMs),
    renderCount(services.writes),
    renderMs(late.percentile(99) / 1e6),
    renderMs(late.max / 1e6),
    renderMs(median),
    renderMs(p99),
    renderMs(max),
  ];
}

/** One record after the other, each on the disk before the next. */
function benchJournal(size: EngineSize): string {
  const { folder, journalWrites } = size;
  size.report(`${journalWrites} journal writes`);
  using journal = openJournal(join(folder, "journal-writes.sqlite"));
  const event = { kind: "judged", atMs: 1, verdict: "pass", detail: "as good as the version before" } as const;
  const times: number[] = [];
  const startedMs = performance.now();
  for (let index = 0; index < journalWrites; index += 1) {
    const beganMs = performance.now();
    journal.append({ type: "releaseEvent", id: "r1", at: new Date().toISOString(), event });
    times.push(performance.now() - beganMs);
  }
  const perSecond = (journalWrites * 1_000) / (performance.now() - startedMs);
  const { median, p99, max } = spreadOf(times);
  return renderTable(
    ["journal writes", "a second", "one write, median", "p99", "highest"],
    [[renderCount(journalWrites), renderCount(perSecond), renderMs(median), renderMs(p99), renderMs(max)]],
  );
}
