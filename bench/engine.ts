// `npm run bench:engine -- [--quick] [--only=many,rollbacks,large] [--write]`: releases side by side, and how soon a bad
// version is taken back. Prints Markdown; `--write` puts it into docs/performance.md.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { engineSize } from "./engine/engine-size.ts";
import { benchLarge } from "./engine/large-section.ts";
import { benchMany } from "./engine/many-section.ts";
import { benchRollbacks } from "./engine/rollback-section.ts";
import { describeLoad, describeMachine } from "./machine.ts";
import { replaceFigures } from "./replace-figures.ts";

const sections = [
  { name: "many", title: "Releases side by side", run: benchMany },
  { name: "rollbacks", title: "A bad version is taken back", run: benchRollbacks },
  { name: "large", title: "Releases among many VirtualServices", run: benchLarge },
] as const;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", default: sections.map((section) => section.name).join(",") },
  },
});

const chosen = values.only.split(",");
const folder = await mkdtemp(join(tmpdir(), "kirikae-engine-"));
try {
  const size = { ...engineSize(values.quick), folder };
  const parts = [`Measured ${describeMachine()}${values.quick ? ", with `--quick`" : ""}; ${describeLoad()}.`];
  for (const { name, title, run } of sections) {
    if (chosen.includes(name)) parts.push(`### ${title}`, await run(size));
  }
  parts.push(`At the end: ${describeLoad()}.`);
  const report = `${parts.map((part) => part.trim()).join("\n\n")}\n`;
  process.stdout.write(`\n${report}`);
  if (values.write) await replaceFigures("bench:engine", report);
} finally {
  await rm(folder, { recursive: true, force: true });
}
