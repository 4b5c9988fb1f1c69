// The load process: reads its options from its one argument, says "started" and "finished" on stdout, one JSON object
// a line, and ends when its time is up or its stdin closes, so that it never outlives the test that started it.
import { clockFrom } from "./load-clock.ts";
import { LoadGenerator, type LoadCounts } from "./load-generator.ts";
import { assertBounded, type LoadOptions } from "./load-options.ts";
import { RecordWriter, type RecordNames } from "./load-records.ts";

export interface FinishedEvent extends LoadCounts, RecordNames {
  readonly event: "finished";
  /** Processor time of this process, to show that the client was not what limited the run. */
  readonly cpuMs: number;
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? "{}");
assertBounded(options);
const stop = new AbortController();
process.stdin.on("close", () => stop.abort());
process.stdin.resume();
process.once("SIGTERM", () => stop.abort());
// A terminal's Ctrl-C reaches the whole process group; the parent says when to stop.
process.on("SIGINT", () => undefined);

const now = clockFrom(options.clock);
const writer = new RecordWriter(options.recordFile);
const generator = new LoadGenerator(options, now, (record) => writer.add(record));
process.stdout.write(`${JSON.stringify({ event: "started", atMs: now() })}\n`);
const counts = await generator.run(stop.signal);
const { user, system } = process.cpuUsage();
const finished: FinishedEvent = {
  event: "finished",
  ...counts,
  ...writer.close(),
  cpuMs: (user + system) / 1_000,
};
process.stdout.write(`${JSON.stringify(finished)}\n`);
process.stdin.destroy();
