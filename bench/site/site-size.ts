/** How much is measured. `--quick` is for a look and for CI; figures worth keeping come from the full run. */
export interface SiteSize {
  /** Of a site that is large: in all, with the one that is moved. */
  readonly virtualServices: number;
  /** Times that a subset is dropped while its weight moves, in each way. */
  readonly drops: number;
  /** Switches at each size. */
  readonly switches: number;
  readonly requestsPerSecond: number;
  report(line: string): void;
}

export function siteSize(isQuick: boolean): SiteSize {
  return isQuick
    ? { virtualServices: 300, drops: 1, switches: 4, requestsPerSecond: 500, report }
    : { virtualServices: 1_500, drops: 3, switches: 20, requestsPerSecond: 3_000, report };
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
