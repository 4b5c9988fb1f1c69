// `npm run bench:switch -- [--quick] [--only=fronts,throughput,scale,long] [--write]`: measures how kirikae and
// others move live traffic, side by side in one run, and prints Markdown; `--write` puts it into docs/performance.md.
import { chmod } from "node:fs/promises";
import { type Backends, startBackends } from "./backends.ts";
import { benchSize, type BenchSize } from "./bench-size.ts";
import { benchFronts } from "./fronts-section.ts";
import { benchLongRun } from "./long-run-section.ts";
import { runSections } from "./run-sections.ts";
import { benchScale } from "./scale-section.ts";
import { benchThroughput } from "./throughput-section.ts";

interface SwitchSetup {
  readonly backends: Backends;
  readonly folder: string;
  readonly size: BenchSize;
}

type SwitchSection = (backends: Backends, folder: string, size: BenchSize) => Promise<string>;

function section(name: string, title: string, bench: SwitchSection) {
  return { name, title, run: ({ backends, folder, size }: SwitchSetup) => bench(backends, folder, size) };
}

await runSections<SwitchSetup>({
  script: "bench:switch",
  async setUp({ folder, isQuick }, stack) {
    // The workers of nginx and Apache run as another user, and read what is in here.
    await chmod(folder, 0o711);
    return { backends: stack.use(await startBackends(folder)), folder, size: benchSize(isQuick) };
  },
  sections: [
    section("fronts", "One switch, side by side", benchFronts),
    section("throughput", "Throughput against a hand-written file", benchThroughput),
    section("scale", "The same switch among more VirtualServices", benchScale),
    section("long", "Many switches in a row", benchLongRun),
  ],
});
