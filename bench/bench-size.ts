/** How much is measured. `--quick` is for a look and for CI; figures worth keeping come from the full run. */
export interface BenchSize {
  readonly switches: number;
  readonly gapMs: number;
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly newConnectionShare: number;
  readonly throughputRounds: number;
  readonly throughputSeconds: number;
  /** VirtualServices in the mesh, one of them switched. */
  readonly meshSizes: readonly number[];
  readonly switchesPerMeshSize: number;
  readonly longRunSwitches: number;
  report(line: string): void;
}

const load = { requestsPerSecond: 3_000, connections: 64, newConnectionShare: 0.05 };

export function benchSize(isQuick: boolean): BenchSize {
  return isQuick
    ? {
        ...load,
        switches: 5,
        gapMs: 300,
        throughputRounds: 1,
        throughputSeconds: 2,
        meshSizes: [1, 1_500],
        switchesPerMeshSize: 10,
        longRunSwitches: 20,
        report,
      }
    : {
        ...load,
        switches: 30,
        gapMs: 700,
        throughputRounds: 5,
        throughputSeconds: 6,
        meshSizes: [1, 1_500, 10_000],
        switchesPerMeshSize: 100,
        longRunSwitches: 1_000,
        report,
      };
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
