import type { ClusterRelease } from "../../api/types.ts";
import { neutraliseLine } from "../neutralise.ts";
import { renderInstant } from "./time-words.ts";

/** Finds what is new of Releases that clusters carry out, as `ReleaseChanges` does of others. */
export class ClusterChanges {
  readonly #told = new Map<string, string>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => Date.now()) {
    this.#nowMs = nowMs;
  }

  /** Plain lines without colours, each with the time at which it was seen. */
  take(releases: readonly ClusterRelease[]): readonly string[] {
    return releases.flatMap((release) => {
      const key = `${release.context} ${release.release}`;
      const text = tellRelease(release);
      if (this.#told.get(key) === text) return [];
      this.#told.set(key, text);
      return [`${renderInstant(this.#nowMs())} ${release.release} ${text}`];
    });
  }
}

function tellRelease({ phase, step, message, weight }: ClusterRelease): string {
  const place = step === null ? "" : `, step ${step}`;
  const why = message === phase ? "" : `: ${message}`;
  const live = weight === null ? "" : `; live: ${weight}`;
  return neutraliseLine(`is ${phase}${place}${why}${live}`);
}
