/** How much is measured. `--quick` is for a look and for CI; figures worth keeping come from the full run. */
export interface CompileSize {
  readonly meshSizes: readonly number[];
  /** Changes of rules at each size; of what builds all anew there are fewer. */
  readonly changes: number;
  readonly savesPerSize: number;
  readonly istiodSizes: readonly number[];
  readonly istiodChanges: number;
  /** For what the benchmark writes; it is gone afterwards. */
  readonly folder: string;
  report(line: string): void;
}

export function compileSize(isQuick: boolean): Omit<CompileSize, "folder"> {
  return isQuick
    ? { meshSizes: [100, 1_000], changes: 20, savesPerSize: 3, istiodSizes: [100], istiodChanges: 3, report }
    : {
        meshSizes: [100, 1_000, 10_000],
        changes: 200,
        savesPerSize: 15,
        istiodSizes: [100, 1_000, 10_000],
        istiodChanges: 15,
        report,
      };
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
