import type { Ledger, MovePlan, VersionName } from "../../core/release/move/move.ts";
import type { SplitId } from "../../core/routes/route-table.ts";
import type { AccessLogEntry } from "../../xds/access-log-entry.ts";
import type { LostRequestTest } from "./lost-requests.ts";

/** Field numbers of Envoy's response flags that mean: the client left before it had its answer. */
const clientLeft: ReadonlySet<number> = new Set([15, 28]);

/** Flags that mean a broken answer although a good status may have gone out before it broke. */
const broken: ReadonlyMap<number, string> = new Map([
  [2, "no healthy upstream (UH)"],
  [3, "upstream request timeout (UT)"],
  [4, "local reset (LR)"],
  [5, "upstream reset (UR)"],
  [6, "upstream connection failure (UF)"],
  [7, "upstream closed the connection (UC)"],
  [8, "upstream overflow (UO)"],
  [9, "no route (NR)"],
  [16, "retries used up (URX)"],
  [17, "stream idle timeout (SI)"],
  [20, "upstream maximum duration (UMSDR)"],
  [23, "maximum duration (DT)"],
  [24, "upstream protocol error (UPE)"],
  [25, "no cluster (NC)"],
  [26, "overload (OM)"],
]);

const maxFailures = 10;

/** Counts access log entries of one move. Without any I/O: entries and marks in, sums out. */
export class LedgerCounter {
  readonly #versionOf: ReadonlyMap<string, VersionName>;
  /** Clusters that get no more requests of a split after the move. */
  readonly #emptied: ReadonlyMap<SplitId, (cluster: string) => boolean>;
  readonly #isLost: LostRequestTest;
  readonly #byVersion: Record<VersionName, number>;
  readonly #failedByVersion: Record<VersionName, number>;
  readonly #failures: string[] = [];
  /** Answers of the old version against the plan; few, because they end with the move. */
  #lastOldEndMs: number | undefined;
  readonly #oldStarts: number[] = [];
  #requests = 0;
  #failed = 0;
  #clientGone = 0;
  #callMs: number | undefined;
  #doneMs: number | undefined;

  constructor(plan: MovePlan, isLost: LostRequestTest) {
    this.#isLost = isLost;
    this.#versionOf = new Map(
      plan.versions.flatMap(({ name, destinations }) => destinations.map((destination) => [destination, name])),
    );
    this.#emptied = new Map(
      plan.changes.map(({ split, after }) => [split, (cluster: string) => (after[cluster] ?? 0) === 0]),
    );
    this.#byVersion = Object.fromEntries(plan.versions.map(({ name }) => [name, 0]));
    this.#failedByVersion = { ...this.#byVersion };
  }

  add(entry: AccessLogEntry): void {
    const isEmptied = this.#emptied.get(entry.routeName);
    if (isEmptied === undefined) {
      this.#addLost(entry);
      return;
    }
    if (entry.flags.some((flag) => clientLeft.has(flag))) {
      this.#clientGone += 1;
      return;
    }
    const version = this.#versionOf.get(entry.cluster);
    this.#addRequest(version ?? "other");
    const failure = describeFailure(entry);
    if (failure !== undefined)
      this.#addFailure(failure, { version: version ?? "other", from: version ?? entry.cluster });
    if (version !== undefined && isEmptied(entry.cluster)) this.#addOld(entry);
  }

  markCall(atMs: number): void {
    this.#callMs = atMs;
  }

  markDone(atMs: number): void {
    this.#doneMs = atMs;
  }

  result(isComplete: boolean): Ledger {
    const call = this.#callMs;
    const done = this.#doneMs;
    const lastEnd = this.#lastOldEndMs;
    return {
      requests: this.#requests,
      ok: this.#requests - this.#failed,
      failed: this.#failed,
      byVersion: { ...this.#byVersion },
      failedByVersion: { ...this.#failedByVersion },
      lastOldMs: call === undefined || lastEnd === undefined || lastEnd <= call ? null : lastEnd - call,
      oldAfterDone: done === undefined ? 0 : this.#oldStarts.filter((startMs) => startMs > done).length,
      clientGone: this.#clientGone,
      failures: this.#failures,
      isComplete,
    };
  }

  #addRequest(version: VersionName): void {
    this.#requests += 1;
    this.#byVersion[version] = (this.#byVersion[version] ?? 0) + 1;
  }

  /** One that found no route has no rule that it could be told by, only its name and path. */
  #addLost(entry: AccessLogEntry): void {
    if (entry.routeName !== "" || entry.flags.some((flag) => clientLeft.has(flag))) return;
    const failure = describeFailure(entry);
    if (failure === undefined || !this.#isLost(entry)) return;
    this.#addRequest("other");
    this.#addFailure(failure, { version: "other", from: "" });
  }

  #addOld(entry: AccessLogEntry): void {
    this.#lastOldEndMs = Math.max(this.#lastOldEndMs ?? 0, entry.endMs);
    // Records arrive some 50 ms late, so those that began before "done" can only be sorted out at the end.
    if (this.#callMs !== undefined && entry.startMs > this.#callMs) this.#oldStarts.push(entry.startMs);
  }

  #addFailure(failure: string, { version, from }: { readonly version: VersionName; readonly from: string }): void {
    this.#failed += 1;
    this.#failedByVersion[version] = (this.#failedByVersion[version] ?? 0) + 1;
    if (this.#failures.length < maxFailures) this.#failures.push(`${failure} from ${from || "no version"}`);
  }
}

/** Undefined for an answer that counts as good: any status below 500, sent to its end. */
function describeFailure({ status, flags, details }: AccessLogEntry): string | undefined {
  const why = flags.map((flag) => broken.get(flag)).find((text) => text !== undefined);
  if (status !== 0 && status < 500 && why === undefined) return undefined;
  return [status === 0 ? "no answer" : String(status), why ?? details].filter((part) => part !== "").join(" ");
}
