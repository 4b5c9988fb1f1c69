import type { AnswerDifference, ComparisonResult } from "./compare-answers.ts";
import { foldPath } from "./fold-path.ts";
import { LatencyTally, type LatencyFigures } from "./tally-latency.ts";
import { type PathFigures, PathTally } from "./tally-paths.ts";

/** What the copies of live requests have shown of the new version. Plain JSON. */
export interface MirrorReport {
  /** Requests of which kirikae got a copy. */
  readonly copied: number;
  /** Of these: both versions answered, and their answers were compared. */
  readonly compared: number;
  readonly same: number;
  readonly different: number;
  /** How many answers differ in it; one that differs in several counts in each. */
  readonly differentIn: Readonly<Record<AnswerDifference["kind"], number>>;
  /** Sent to the new version alone, because asking twice might do twice what they ask for (RFC 9110, section 9.2.1). */
  readonly sentOnce: number;
  /** Answers that were too long to be compared. */
  readonly tooLong: number;
  /** Not sent on, because too many were under way or the copy was too long. */
  readonly dropped: number;
  /** Answers that did not come in time. */
  readonly timeouts: Readonly<Record<ComparedSide, number>>;
  /** Requests that the proxy could not be asked. */
  readonly unasked: number;
  readonly latency: Readonly<Record<ComparedSide, LatencyFigures>>;
  /** The first differences of each kind. */
  readonly examples: readonly DifferenceExample[];
  readonly sizing: PathFigures;
}

export type ComparedSide = "live" | "fresh";

export interface DifferenceExample {
  readonly method: string;
  /** Without its query, and with ids as `*`: it may be anybody's. */
  readonly path: string;
  readonly liveStatus: number;
  readonly freshStatus: number;
  readonly differences: readonly AnswerDifference[];
}

export interface ComparedRequest {
  readonly method: string;
  readonly path: string;
}

const maxExamples = 20;
/** So that the commonest difference does not hide the others. */
const maxExamplesOfAKind = 8;

/** Counts what becomes of copied requests. */
export class MirrorTally {
  readonly #paths: PathTally;
  readonly #latency = { live: new LatencyTally(), fresh: new LatencyTally() };
  readonly #timeouts = { live: 0, fresh: 0 };
  readonly #differentIn = { status: 0, header: 0, body: 0 };
  readonly #examples: DifferenceExample[] = [];
  #copied = 0;
  #same = 0;
  #different = 0;
  #sentOnce = 0;
  #tooLong = 0;
  #dropped = 0;
  #unasked = 0;

  constructor(fromMs: number) {
    this.#paths = new PathTally(fromMs);
  }

  addCopy({ path }: ComparedRequest, at: { readonly atMs: number; readonly percent: number }): void {
    this.#copied += 1;
    this.#paths.add(path, { atMs: at.atMs, standsFor: 100 / at.percent });
  }

  addAnswer(side: ComparedSide, durationMs: number): void {
    this.#latency[side].add(durationMs);
  }

  addDropped(): void {
    this.#dropped += 1;
  }

  addTimeout(side: ComparedSide): void {
    this.#timeouts[side] += 1;
  }

  addUnasked(): void {
    this.#unasked += 1;
  }

  addSentOnce(): void {
    this.#sentOnce += 1;
  }

  addComparison(
    { method, path }: ComparedRequest,
    { live, fresh, result }: { readonly live: number; readonly fresh: number; readonly result: ComparisonResult },
  ): void {
    switch (result.kind) {
      case "same":
        this.#same += 1;
        return;
      case "tooLong":
        this.#tooLong += 1;
        return;
      case "different": {
        this.#different += 1;
        const { differences } = result;
        for (const kind of new Set(differences.map((each) => each.kind))) this.#differentIn[kind] += 1;
        const example = { method, path: foldPath(path), liveStatus: live, freshStatus: fresh, differences };
        if (this.#isWanted(example)) this.#examples.push(example);
      }
    }
  }

  /** What a check compares with its limit. */
  differences(): { readonly compared: number; readonly different: number } {
    return { compared: this.#same + this.#different, different: this.#different };
  }

  report(nowMs: number): MirrorReport {
    return {
      copied: this.#copied,
      ...this.differences(),
      same: this.#same,
      differentIn: { ...this.#differentIn },
      sentOnce: this.#sentOnce,
      tooLong: this.#tooLong,
      dropped: this.#dropped,
      timeouts: { ...this.#timeouts },
      unasked: this.#unasked,
      latency: { live: this.#latency.live.figures(), fresh: this.#latency.fresh.figures() },
      examples: [...this.#examples],
      sizing: this.#paths.figures(nowMs),
    };
  }

  #isWanted({ differences, path }: DifferenceExample): boolean {
    if (this.#examples.length >= maxExamples) return false;
    const kind = differences[0]?.kind;
    const alike = this.#examples.filter((each) => each.differences[0]?.kind === kind);
    return alike.length < maxExamplesOfAKind && alike.filter((each) => each.path === path).length < 2;
  }
}
