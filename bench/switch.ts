// `npm run bench:switch -- [--quick] [--only=fronts,throughput,scale,long] [--write]`: measures how kirikae and
// others move live traffic, side by side in one run, and prints Markdown; `--write` puts it into docs/performance.md.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startBackends } from "./backends.ts";
import { benchSize } from "./bench-size.ts";
import { benchFronts } from "./fronts-section.ts";
import { benchLongRun } from "./long-run-section.ts";
import { describeMachine } from "./machine.ts";
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
  if (values.write) await replaceFigures(report);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Puts the report between the two marks of docs/performance.md; the text around them is written by hand. */
async function replaceFigures(report: string): Promise<void> {
  const file = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
  const [before, , after] = (await readFile(file, "utf8")).split(/<!-- figures (?:begin|end)[^>]*-->/);
  if (before === undefined || after === undefined) throw new Error("docs/performance.md has lost its two marks.");
  const begin = "<!-- figures begin: written by `npm run bench:switch -- --write` -->";
  await writeFile(file, `${before}${begin}\n\n${report}\n<!-- figures end -->${after}`);
}
