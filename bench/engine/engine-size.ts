/** How much is measured. `--quick` is for a look and for CI; figures worth keeping come from the full run. */
export interface EngineSize {
  /** How many releases run at once, in each of the measurements. */
  readonly concurrent: readonly number[];
  /** Single switches beside them. */
  readonly switches: number;
  readonly journalWrites: number;
  readonly rollbacks: number;
  /** Of the mesh in which releases lay additions: how many of each kind alone, and how many together. */
  readonly large: { readonly virtualServices: number; readonly each: number; readonly releases: number };
  /** For what the benchmark writes; it is gone afterwards. */
  readonly folder: string;
  report(line: string): void;
}

export function engineSize(isQuick: boolean): Omit<EngineSize, "folder"> {
  return isQuick
    ? {
        concurrent: [0, 50],
        switches: 40,
        journalWrites: 500,
        rollbacks: 2,
        large: { virtualServices: 1_000, each: 2, releases: 20 },
        report,
      }
    : {
        concurrent: [0, 50, 200],
        switches: 200,
        journalWrites: 5_000,
        rollbacks: 30,
        large: { virtualServices: 10_000, each: 20, releases: 200 },
        report,
      };
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
