import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeLoad, describeMachine } from "./machine.ts";
import { type BenchScript, replaceFigures } from "./replace-figures.ts";

export interface Benchmark<Setup> {
  /** Its npm script, which the marks in docs/performance.md name. */
  readonly script: BenchScript;
  /** What all sections have together; the folder is removed when they have ended, after what the stack holds. */
  readonly setUp: (
    place: { readonly folder: string; readonly isQuick: boolean },
    stack: AsyncDisposableStack,
  ) => Setup | Promise<Setup>;
  readonly sections: readonly {
    /** As `--only` names it. */
    readonly name: string;
    readonly title: string;
    /** Returns Markdown. */
    readonly run: (setup: Setup) => Promise<string>;
  }[];
}

/**
 * Runs the sections that the command line asks for (`--quick`, `--only=NAME,NAME`), prints them as Markdown, and with
 * `--write` puts them into docs/performance.md between the marks of this benchmark.
 */
export async function runSections<Setup>({ script, setUp, sections }: Benchmark<Setup>): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      only: { type: "string", default: sections.map(({ name }) => name).join(",") },
    },
  });
  const chosen = values.only.split(",");
  const folder = await mkdtemp(join(tmpdir(), `kirikae-${script.replace(":", "-")}-`));
  try {
    await using stack = new AsyncDisposableStack();
    const setup = await setUp({ folder, isQuick: values.quick }, stack);
    const parts = [`Measured ${describeMachine()}${values.quick ? ", with `--quick`" : ""}; ${describeLoad()}.`];
    for (const { name, title, run } of sections) {
      if (chosen.includes(name)) parts.push(`### ${title}`, await run(setup));
    }
    parts.push(`At the end: ${describeLoad()}.`);
    const report = `${parts.map((part) => part.trim()).join("\n\n")}\n`;
    process.stdout.write(`\n${report}`);
    if (values.write) await replaceFigures(script, report);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
