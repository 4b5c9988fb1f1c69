import type { HttpMatch } from "../manifest/virtual-service.ts";
import { coversMatch } from "./match-coverage.ts";

/** Matches without an exact path are compared one by one, and no further than this, so that the cost stays bounded. */
const comparedAtMost = 1000;

/** Matches that stand before others, kept so that the one that takes a request first is found without a full search. */
export class CoverageIndex {
  readonly #byExactPath = new Map<string, HttpMatch[]>();
  readonly #others: HttpMatch[] = [];

  add(match: HttpMatch): void {
    if (match.uri?.kind === "exact" && !match.ignoreUriCase) {
      const list = this.#byExactPath.get(match.uri.value);
      if (list === undefined) {
        this.#byExactPath.set(match.uri.value, [match]);
      } else if (list.length < comparedAtMost) {
        list.push(match);
      }
    } else if (this.#others.length < comparedAtMost) {
      this.#others.push(match);
    }
  }

  /** A match that takes every request that the given one would take. */
  findCover(match: HttpMatch): HttpMatch | undefined {
    const exact = match.uri?.kind === "exact" ? (this.#byExactPath.get(match.uri.value) ?? []) : [];
    return (
      exact.find((earlier) => coversMatch(earlier, match)) ??
      this.#others.find((earlier) => coversMatch(earlier, match))
    );
  }
}
