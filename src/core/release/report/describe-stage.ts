import { renderShortage } from "../move/limit-return.ts";
import type { Ledger, VersionName } from "../move/move.ts";
import type { ReleaseEvent } from "../state/release-state.ts";
import { countTraffic } from "./count-traffic.ts";
import type { Decision, MoveReport, ProxyProof, StageReport, VerdictReport } from "./release-report.ts";
import type { Interval } from "./walk-release.ts";

/** What the journal knows of a move by its id. */
export interface RecordedMove {
  /** In percent by version. */
  readonly before: Readonly<Record<VersionName, number>>;
  readonly after: Readonly<Record<VersionName, number>>;
  readonly ledger: Ledger | null;
  readonly message?: string | undefined;
  readonly proof?:
    | {
        readonly provedAt?: string;
        readonly callToProofMs: number | null;
        readonly proxies: readonly ProxyProof[];
      }
    | undefined;
}

export type FindMove = (id: string) => RecordedMove | undefined;

/** The intervals that belong to one step or detour, put together. */
export function describeStage(intervals: readonly Interval[], findMove: FindMove): StageReport {
  const first = intervals[0];
  const last = intervals.at(-1);
  const events = intervals.flatMap(({ event }) => (event === undefined ? [] : [event]));
  return {
    startedAt: first === undefined ? null : instant(first.fromMs),
    endedAt: last?.event === undefined ? null : instant(last.untilMs),
    tookMs: intervals.reduce((sum, { fromMs, untilMs }) => sum + untilMs - fromMs, 0),
    counted: countTraffic(intervals),
    moves: events.flatMap((event) => describeMove(event, findMove)),
    verdicts: events.flatMap(describeVerdict),
  };
}

export function describeDecisions(intervals: readonly Interval[]): readonly Decision[] {
  return intervals.flatMap(({ event }) => {
    if (event?.kind !== "approve" && event?.kind !== "reject") return [];
    const { kind: answer, atMs, actor, reason } = event;
    return [{ at: instant(atMs), actor, answer, reason }];
  });
}

type MoveEvent = Extract<ReleaseEvent, { readonly kind: "moved" | "partlyBack" | "moveFailed" }>;

function describeMove(event: ReleaseEvent, findMove: FindMove): readonly MoveReport[] {
  if (event.kind !== "moved" && event.kind !== "partlyBack" && event.kind !== "moveFailed") return [];
  const recorded = event.move === undefined ? undefined : findMove(event.move);
  return [
    {
      at: instant(event.atMs),
      id: event.move ?? null,
      shares: recorded === undefined ? null : { before: recorded.before, after: recorded.after },
      isMoved: event.kind !== "moveFailed",
      message: messageOf(event, recorded),
      ...describeProof(recorded?.proof),
      ledger: recorded?.ledger ?? null,
      probes: (event.kind === "moved" ? event.probes : undefined) ?? null,
    },
  ];
}

function messageOf(event: MoveEvent, recorded: RecordedMove | undefined): string | null {
  switch (event.kind) {
    case "moveFailed":
      return event.reason;
    case "partlyBack":
      return `partly back: ${event.waits.map(renderShortage).join("; ")}`;
    case "moved":
      return recorded?.message ?? null;
  }
}

function describeProof(proof: RecordedMove["proof"]): Pick<MoveReport, "callToProofMs" | "provedAt" | "proxies"> {
  if (proof === undefined) return { callToProofMs: null, provedAt: null, proxies: [] };
  const { callToProofMs, provedAt, proxies } = proof;
  return { callToProofMs, provedAt: provedAt ?? null, proxies };
}

function describeVerdict(event: ReleaseEvent): readonly VerdictReport[] {
  if (event.kind !== "judged") return [];
  const { atMs, verdict, detail, results = [] } = event;
  return [{ at: instant(atMs), verdict, detail, results }];
}

export function instant(atMs: number): string {
  return new Date(atMs).toISOString();
}
