import type { NotifiedEvent } from "../../manifest/release.ts";
import { describeRelease } from "./describe-release.ts";
import type { ReleasePlan } from "../plan/plan-release.ts";
import { stepOf } from "../state/release-phase.ts";
import type { ReleaseEvent, ReleasePhase, ReleaseState } from "../state/release-state.ts";

/** What somebody outside is told of a release. The body of a webhook is made of exactly this. */
export interface ReleaseNotice {
  /** The shape of everything below; a member is only added within one. */
  readonly version: 1;
  /** The same whenever this is told again. */
  readonly id: string;
  readonly event: NotifiedEvent;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** `namespace/name`. */
  readonly release: string;
  readonly to: string;
  readonly phase: ReleasePhase["kind"];
  /** Of `step` the one that is done, of all others the one that it is at; null before the first and after the last. */
  readonly step: { readonly number: number; readonly of: number; readonly kind: string } | null;
  /** One sentence for people, without a full stop. */
  readonly message: string;
  /** Who did it, and why, where somebody did; the name is what they said. */
  readonly actor: string | null;
  readonly reason: string | null;
}

/** One event of a release, and what it has changed. */
export interface ReleaseTurn {
  readonly id: string;
  readonly plan: ReleasePlan;
  /** Who started it, and why. */
  readonly actor: string;
  readonly reason: string | null;
  readonly before: ReleaseState;
  readonly after: ReleaseState;
  readonly event: ReleaseEvent;
  /** How many events it has had, this one included. */
  readonly count: number;
}

/** What is to be told of one event, in order; most events tell one thing or nothing. */
export function findNotices(turn: ReleaseTurn): readonly ReleaseNotice[] {
  const { plan, before, after } = turn;
  const notices: ReleaseNotice[] = [];
  if (before.phase.kind === "planned" && after.phase.kind !== "planned") {
    const message = `started to ${plan.to}, ${plan.steps.length} steps`;
    notices.push({ ...buildNotice(turn, "started", message), actor: turn.actor, reason: turn.reason });
  }
  const done = finishedStep(plan, before.phase, after.phase);
  if (done !== undefined) notices.push(buildStepNotice(turn, done));
  // While less is back than should be, requests meet the new version: each change of that is told.
  const entered = turn.event.kind === "partlyBack" ? "rollingBack" : enteredEvent(before.phase, after.phase);
  if (entered !== undefined) notices.push(buildNotice(turn, entered, describeRelease(plan, after).message));
  return notices;
}

/** From 0; of several that are passed at once, the last. */
function finishedStep(plan: ReleasePlan, before: ReleasePhase, after: ReleasePhase): number | undefined {
  const isForward = before.kind !== "redoing" && after.kind !== "rollingBack" && "step" in before;
  if (!isForward) return undefined;
  const reached = after.kind === "done" ? plan.steps.length : "step" in after ? after.step : 0;
  return reached > before.step ? reached - 1 : undefined;
}

/** What the beginning of a phase is told as; a hold that ends by itself is no matter to anybody. */
const eventOfPhase: Readonly<Record<ReleasePhase["kind"], NotifiedEvent | undefined>> = {
  planned: undefined,
  moving: undefined,
  checking: undefined,
  setting: undefined,
  redoing: undefined,
  awaiting: "waiting",
  frozen: "waiting",
  holding: "waiting",
  paused: "paused",
  failed: "failed",
  rollingBack: "rollingBack",
  rolledBack: "rolledBack",
  aborted: "aborted",
  done: "done",
};

function enteredEvent(before: ReleasePhase, after: ReleasePhase): NotifiedEvent | undefined {
  const isSame = before.kind === after.kind && stepOf(before) === stepOf(after);
  if (isSame || (after.kind === "holding" && after.untilMs !== null)) return undefined;
  return eventOfPhase[after.kind];
}

function buildStepNotice(turn: ReleaseTurn, index: number): ReleaseNotice {
  const { plan, after } = turn;
  const described = describeRelease(plan, after).steps[index];
  const of = plan.steps.length;
  const message = `step ${index + 1} of ${of} is done: ${described?.kind ?? ""} ${described?.summary ?? ""}`.trimEnd();
  const step = { number: index + 1, of, kind: described?.kind ?? "" };
  return { ...buildNotice(turn, "step", message), step };
}

function buildNotice(
  { id, plan, after, event, count }: ReleaseTurn,
  of: NotifiedEvent,
  message: string,
): ReleaseNotice {
  const { release, to, steps } = plan;
  const index = "step" in after.phase ? after.phase.step : undefined;
  const at = index === undefined ? undefined : steps[index];
  const person = "actor" in event ? event : { actor: null, reason: null };
  return {
    version: 1,
    id: `${id}:${count}:${of}`,
    event: of,
    at: new Date(event.atMs).toISOString(),
    release,
    to,
    phase: after.phase.kind,
    step: at === undefined || index === undefined ? null : { number: index + 1, of: steps.length, kind: at.kind },
    message,
    actor: person.actor,
    reason: person.reason,
  };
}
