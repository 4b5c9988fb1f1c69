import type { ReleaseStatus } from "../../api/types.ts";
import type { Condition, ConditionType } from "./release-status.ts";

/** What a Release is, as far as the controller knows. */
export type Standing =
  /** It has begun; it may have ended. */
  | { readonly kind: "begun"; readonly release: ReleaseStatus }
  /** It begins when something else has ended. */
  | { readonly kind: "pending"; readonly message: string }
  /** It cannot begin as it is written, or as the cluster is. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/** A condition before it is known since when it holds. */
export type Finding = Pick<Condition, "type" | "status" | "reason" | "message">;

/** What holds of a Release, one finding a type, always all of them. */
export function findConditions(standing: Standing, specChanged: string | undefined): readonly Finding[] {
  const changed: Finding =
    specChanged === undefined
      ? finding("SpecChanged", "False", { reason: "AsStarted", message: "the spec is the one that was started" })
      : finding("SpecChanged", "True", { reason: "Edited", message: specChanged });
  switch (standing.kind) {
    case "pending":
      return [...notBegun({ reason: "Pending", message: standing.message }), changed];
    case "refused": {
      const why = { reason: standing.code, message: standing.message };
      return [...notBegun(why), finding("Failed", "True", why), changed].filter(isLastOfItsType);
    }
    case "begun":
      return [...findOfRelease(standing.release), changed];
  }
}

type Why = Pick<Finding, "reason" | "message">;

function finding(type: ConditionType, status: Finding["status"], why: Why): Finding {
  return { type, status, ...why };
}

function isLastOfItsType({ type }: Finding, index: number, all: readonly Finding[]): boolean {
  return !all.slice(index + 1).some((later) => later.type === type);
}

function notBegun(why: Why): readonly Finding[] {
  return [
    finding("Ready", "False", why),
    finding("Progressing", "False", why),
    finding("Paused", "False", why),
    finding("Failed", "False", why),
    finding("Proved", "Unknown", { reason: "NothingMoved", message: "nothing has been moved yet" }),
  ];
}

function findOfRelease(release: ReleaseStatus): readonly Finding[] {
  const { phase, message } = release;
  const why = { reason: phaseName(phase), message };
  const is = (type: ConditionType, holds: boolean): Finding => finding(type, holds ? "True" : "False", why);
  return [
    is("Ready", phase === "done"),
    is("Progressing", goesOn.has(phase)),
    is("Paused", phase === "paused" || phase === "awaiting" || (phase === "holding" && release.untilMs === null)),
    is("Failed", phase === "failed" || phase === "rolledBack" || phase === "aborted" || phase === "rollingBack"),
    findProof(release),
  ];
}

type Phase = ReleaseStatus["phase"];

/** Where nobody has to do anything for it to go on. */
const goesOn: ReadonlySet<Phase> = new Set<Phase>([
  "planned",
  "moving",
  "holding",
  "checking",
  "frozen",
  "setting",
  "rollingBack",
  "redoing",
]);

/** Whether the last weights that were asked for are what the proxies use. */
function findProof({ events }: ReleaseStatus): Finding {
  const last = events.findLast(({ kind }) => kind === "moved" || kind === "moveFailed" || kind === "partlyBack");
  if (last === undefined) {
    return finding("Proved", "Unknown", { reason: "NothingMoved", message: "nothing has been moved yet" });
  }
  if (last.kind === "moveFailed") return finding("Proved", "False", { reason: "MoveFailed", message: last.reason });
  const at = new Date(last.atMs).toISOString();
  return finding("Proved", "True", {
    reason: "Proved",
    message: `the proxies have shown what was moved last, at ${at}`,
  });
}

/** In CamelCase, as Kubernetes writes phases. */
export function phaseName(phase: Phase): string {
  return phase.charAt(0).toUpperCase() + phase.slice(1);
}

/** Keeps since when each holds, where that has not changed; a message alone is no transition. */
export function dateConditions(
  findings: readonly Finding[],
  {
    before,
    now,
    generation,
  }: { readonly before: readonly Condition[]; readonly now: string; readonly generation: number },
): readonly Condition[] {
  return findings.map((found) => {
    const same = before.find(({ type, status }) => type === found.type && status === found.status);
    return { ...found, lastTransitionTime: same?.lastTransitionTime ?? now, observedGeneration: generation };
  });
}
