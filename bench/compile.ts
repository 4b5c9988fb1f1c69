// `npm run bench:compile -- [--quick] [--only=meshes,up,istiod] [--write]`: what a change costs among many
// VirtualServices, and how istiod does on the same manifests. Prints Markdown; `--write` puts it into
// docs/performance.md.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compileSize } from "./compile/compile-size.ts";
import { benchIstiod } from "./compile/istiod-section.ts";
import { benchMeshes } from "./compile/mesh-section.ts";
import { benchUp } from "./compile/up-section.ts";
import { describeLoad, describeMachine } from "./machine.ts";
import { replaceFigures } from "./replace-figures.ts";

const sections = [
  { name: "meshes", title: "One change among many VirtualServices", run: benchMeshes },
  { name: "up", title: "A file saved under `kirikae up`", run: benchUp },
  { name: "istiod", title: "The same change through istiod", run: benchIstiod },
] as const;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    only: { type: "string", default: sections.map((section) => section.name).join(",") },
  },
});

const size = compileSize(values.quick);
const chosen = values.only.split(",");
const folder = await mkdtemp(join(tmpdir(), "kirikae-compile-"));
try {
  const parts = [`Measured ${describeMachine()}${values.quick ? ", with `--quick`" : ""}; ${describeLoad()}.`];
  for (const { name, title, run } of sections) {
    if (chosen.includes(name)) parts.push(`### ${title}`, await run({ ...size, folder }));
  }
  parts.push(`At the end: ${describeLoad()}.`);
  const report = `${parts.map((part) => part.trim()).join("\n\n")}\n`;
  process.stdout.write(`\n${report}`);
  if (values.write) await replaceFigures("bench:compile", report);
} finally {
  await rm(folder, { recursive: true, force: true });
}
