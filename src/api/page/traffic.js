/** The last minutes of traffic, and the columns that a graph draws of them. */

export const windowSeconds = 180;
/** Samples come once a second; a longer silence is a gap in the line and not a slope over it. */
const gapSeconds = 2.5;

export class Traffic {
  #samples = [];
  moves = [];

  get newestSeconds() {
    return (this.#samples.at(-1)?.atMs ?? 0) / 1000;
  }

  /** Takes what the API remembers; what came over the stream meanwhile is in it or newer. */
  load({ samples, moves }) {
    const newest = samples.at(-1)?.atMs ?? 0;
    this.#samples = [...samples, ...this.#samples.filter((sample) => sample.atMs > newest)];
    this.moves = moves;
    this.#forget();
  }

  add(sample) {
    if (sample.atMs <= (this.#samples.at(-1)?.atMs ?? 0)) return;
    this.#samples.push(sample);
    this.#forget();
  }

  /** Whether a service had any request in the window. */
  isBusy(virtualService) {
    return this.#samples.some((sample) => ratesOf(sample, virtualService).some((rate) => rate.requestsPerSecond > 0));
  }

  /** The newest rates of a service, by version. */
  ratesNow(virtualService) {
    const newest = this.#samples.at(-1);
    return new Map((newest === undefined ? [] : ratesOf(newest, virtualService)).map((rate) => [rate.name, rate]));
  }

  /**
   * Seconds, then requests per second by version, then all errors: `[[t...], [blue...], [green...], [errors...]]`.
   */
  columns(virtualService, versions) {
    const rows = [];
    let previous;
    for (const sample of this.#samples) {
      const seconds = sample.atMs / 1000;
      if (previous !== undefined && seconds - previous > gapSeconds) {
        rows.push([previous + gapSeconds / 2, ...versions.map(() => null), null]);
      }
      rows.push([seconds, ...rowOf(sample, virtualService, versions)]);
      previous = seconds;
    }
    return [0, ...versions.map((_, index) => index + 1), versions.length + 1].map((column) =>
      rows.map((row) => row[column]),
    );
  }

  #forget() {
    const oldest = (this.#samples.at(-1)?.atMs ?? 0) - windowSeconds * 1000;
    const first = this.#samples.findIndex((sample) => sample.atMs >= oldest);
    if (first > 0) this.#samples.splice(0, first);
  }
}

function ratesOf(sample, virtualService) {
  return sample.services.find((service) => service.virtualService === virtualService)?.versions ?? [];
}

function rowOf(sample, virtualService, versions) {
  const rates = ratesOf(sample, virtualService);
  const requests = versions.map((name) => rates.find((rate) => rate.name === name)?.requestsPerSecond ?? 0);
  const errors = rates.reduce((sum, rate) => sum + rate.errorsPerSecond, 0);
  return [...requests, errors];
}
