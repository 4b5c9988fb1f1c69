import type { VersionName } from "../move/move.ts";
import { instant } from "./describe-stage.ts";
import type { DetourReport, ReportPoint, TakenBack } from "./release-report.ts";

interface Traffic {
  readonly points: readonly ReportPoint[];
  /** Of the version that everything was to go to. */
  readonly names: ReadonlySet<VersionName>;
  /** Whether some were led to it by a preview when the last way back began, which ends after the weights are back. */
  readonly isPreviewed: boolean;
}

/** How fast the last way back was, from the decision and from the first error; null where there was none that has ended. */
export function findReturn(detours: readonly DetourReport[], traffic: Traffic): TakenBack | null {
  const index = detours.findLastIndex(({ kind }) => kind === "back");
  const back = detours[index];
  const move = back?.moves.at(-1);
  const decidedAt = back?.startedAt ?? null;
  if (decidedAt === null || move?.isMoved !== true) return null;
  const backAt = (traffic.isPreviewed ? back?.endedAt : move.provedAt) ?? move.at;
  // Errors from before an earlier way back were answered by that one.
  const before = detours.slice(0, index).findLast(({ kind }) => kind === "back");
  const sinceMs = Date.parse(before?.endedAt ?? "1970-01-01");
  return {
    decidedAt,
    backAt,
    decisionToBackMs: Math.max(0, Date.parse(backAt) - Date.parse(decidedAt)),
    firstError: findFirstError(traffic, { sinceMs, backMs: Date.parse(backAt) }),
  };
}

function findFirstError(
  { points, names }: Traffic,
  { sinceMs, backMs }: { readonly sinceMs: number; readonly backMs: number },
): TakenBack["firstError"] {
  const found = points.find(
    ({ fromMs, byVersion }) =>
      fromMs >= sinceMs && fromMs <= backMs && [...names].some((name) => (byVersion[name]?.failed ?? 0) > 0),
  );
  if (found === undefined) return null;
  const { fromMs, untilMs } = found;
  return { after: instant(fromMs), withinMs: untilMs - fromMs, toBackMs: backMs - fromMs };
}
