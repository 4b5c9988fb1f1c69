// `npm run bench:switch -- [--quick] [--only=fronts,throughput,scale,long] [--write]`: measures how kirikae and
// others move live traffic, side by side in one run, and prints Markdown; `--write` puts it into docs/performance.md.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBackends } from "./backends.ts";
import { benchSize } from "./bench-size.ts";
import { benchFronts } from "./fronts-section.ts";
import { benchLongRun } from "./long-run-section.ts";
import { describeMachine } from "./machine.ts";
import { replaceFigures } from "./replace-figures.ts";
import { benchScale } from "./scale-section.ts";
import { benchThroughput } from "./throughput-section.ts";

const sections = [
  { name: "fronts", title: "One switch, side by side", run: benchFronts },
  { name: "throughput", title: "Throughput against a hand-written file", run: benchThroughput },
  { name: "scale", title: "The same switch among more VirtualServices", run: benchScale },
  { name: "long", title: "Many switches in a row", run: benchLongRun },
] as const;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", default: sections.map((section) => section.name).join(",") },
  },
});

const size = benchSize(values.quick);
const chosen = values.only.split(",");
const folder = await mkdtemp(join(tmpdir(), "kirikae-bench-"));
try {
  // The workers of nginx and Apache run as another user, and read what is in here.
  await chmod(folder, 0o711);
  await using backends = await startBackends(folder);
  const parts = [`Measured ${describeMachine()}${values.quick ? ", with `--quick`" : ""}.`];
  for (const section of sections) {
    if (!chosen.includes(section.name)) continue;
    parts.push(`### ${section.title}`, await section.run(backends, folder, size));
  }
  const report = `${parts.map((part) => part.trim()).join("\n\n")}\n`;
  process.stdout.write(`\n${report}`);
  if (values.write) await replaceFigures("bench:switch", report);
} finally {
  await rm(folder, { recursive: true, force: true });
}
