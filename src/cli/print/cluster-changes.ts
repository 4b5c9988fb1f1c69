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
    const changed = releases.flatMap((release) => {
      const key = keyOf(release);
      const text = tellRelease(release);
      if (this.#told.get(key) === text) return [];
      this.#told.set(key, text);
      return [`${renderInstant(this.#nowMs())} ${release.release} ${text}`];
    });
    return [...this.#takeGone(new Set(releases.map(keyOf))), ...changed];
  }

  /** What was told of and is not there any more; another of that name is told from its beginning. */
  #takeGone(there: ReadonlySet<string>): readonly string[] {
    const gone = [...this.#told.keys()].filter((key) => !there.has(key));
    for (const key of gone) this.#told.delete(key);
    return gone.map((key) => `${renderInstant(this.#nowMs())} ${key.slice(key.indexOf(" ") + 1)} is deleted`);
  }
}

function keyOf({ context, release }: ClusterRelease): string {
  return `${context} ${release}`;
}

function tellRelease({ phase, step, message, weight }: ClusterRelease): string {
  const place = step === null ? "" : `, step ${step}`;
  const why = message === phase ? "" : `: ${message}`;
  const live = weight === null ? "" : `; live: ${weight}`;
  return neutraliseLine(`is ${phase}${place}${why}${live}`);
}
