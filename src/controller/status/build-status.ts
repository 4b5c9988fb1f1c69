import type { ReleaseLive, ReleaseStatus } from "../../api/types.ts";
import { findLiveWeights } from "../../core/release/describe/live-weights.ts";
import { summarizeShares } from "../../core/release/move/summarize-shares.ts";
import { renderShares } from "../../core/release/state/render-shares.ts";
import { dateConditions, findConditions, phaseName, type Standing } from "./conditions.ts";
import type { OrderStatus, ReleaseObjectStatus } from "./release-status.ts";

export interface StatusInput {
  readonly standing: Standing;
  readonly generation: number;
  /** What the object says now. */
  readonly before: ReleaseObjectStatus;
  /** The generation that was started; undefined where none was, or nobody knows. */
  readonly startedGeneration: number | undefined;
  readonly journal: { readonly configMaps: readonly string[] };
  /** What the proxies use now; undefined where they were not asked. */
  readonly live: ReleaseLive | undefined;
  readonly lastOrder: OrderStatus | undefined;
  /** The name of the controller that writes it. */
  readonly controller: string;
  /** ISO 8601. */
  readonly now: string;
}

/** All that a Release's status says. What is not in it is to be taken away from the object. */
export function buildStatus(input: StatusInput): ReleaseObjectStatus {
  const { standing, generation, before, now, controller, lastOrder } = input;
  const findings = findConditions(standing, describeEdit(input));
  const order = lastOrder ?? before.lastOrder;
  return {
    observedGeneration: generation,
    ...(standing.kind === "begun" ? describeBegun(standing.release, input) : describeWaiting(standing)),
    ...(order !== undefined && { lastOrder: order }),
    controller,
    conditions: dateConditions(findings, { before: before.conditions ?? [], now, generation }),
  };
}

function describeWaiting(standing: Exclude<Standing, { kind: "begun" }>): ReleaseObjectStatus {
  return { phase: standing.kind === "pending" ? "Pending" : "Refused", message: standing.message };
}

function describeBegun(release: ReleaseStatus, input: StatusInput): ReleaseObjectStatus {
  const { phase, step, steps, to, message, untilMs, startedAt, events, id, plan } = release;
  const from = plan.steps.flatMap((each) => ("moves" in each ? each.moves : []))[0]?.from;
  const at = step === null ? undefined : steps[step - 1];
  const endedAt = isEnded(release) ? events.at(-1)?.atMs : undefined;
  const { startedGeneration } = input;
  return {
    phase: phaseName(phase),
    step: `${phase === "done" ? steps.length : (step ?? 0)}/${steps.length}`,
    ...(at !== undefined && { stepName: `${at.kind}: ${at.summary}` }),
    weight: describeWeight(release),
    message,
    startedAt,
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
    ...(untilMs !== null && { waitsUntil: new Date(untilMs).toISOString() }),
    release: id,
    ...(from !== undefined && { from }),
    to,
    ...(input.live !== undefined && { weights: input.live.rules.map(describeRule) }),
    ...(startedGeneration !== undefined && { startedGeneration }),
    ...(endedAt !== undefined && { endedGeneration: endedGeneration(input, id) }),
    journal: { records: events.length + 1, configMaps: input.journal.configMaps },
  };
}

function describeRule(rule: ReleaseLive["rules"][number]): NonNullable<ReleaseObjectStatus["weights"]>[number] {
  const { virtualService, name, wanted, observed } = rule;
  const route = name === null ? {} : { route: name };
  return { virtualService, rule: rule.rule, ...route, wanted, ...(observed !== null && { observed }) };
}

/** The spec may be edited after the end, and this has to go on saying what was there then. */
function endedGeneration({ before, generation }: StatusInput, id: string): number {
  return before.release === id && before.endedGeneration !== undefined ? before.endedGeneration : generation;
}

/** Whether nothing more happens to a release; one that failed can still be tried again. */
export function isEnded({ phase }: Pick<ReleaseStatus, "phase">): boolean {
  return phase === "done" || phase === "aborted" || phase === "rolledBack";
}

/** What is live of the rules that the last step moved, or the first will move. */
function describeWeight({ plan, steps, events }: ReleaseStatus): string {
  const moving = plan.steps.flatMap((step, index) => ("moves" in step ? [{ moves: step.moves, index }] : []));
  const last = moving.findLast(({ index }) => steps[index]?.state === "done");
  const { moves } = last ?? moving[0] ?? { moves: [] };
  const live = findLiveWeights(plan, events);
  const told = moves.map(({ changes, versions }) => {
    const shown = changes.map((change) => ({ ...change, after: live.get(change.split) ?? change.after }));
    return renderShares(summarizeShares(shown, { versions, which: "after" }));
  });
  return [...new Set(told)].join("; ");
}

/** What to do about a spec that is no longer the one that runs. */
function describeEdit({ standing, generation, startedGeneration }: StatusInput): string | undefined {
  if (standing.kind !== "begun" || startedGeneration === undefined || generation === startedGeneration)
    return undefined;
  const what = `generation ${generation} of the spec was written while generation ${startedGeneration} was running`;
  return isEnded(standing.release)
    ? `${what}; annotate the Release with kirikae.dev/order=start to begin it, or delete and create the Release`
    : `${what}, which goes on as it was started; the new one is begun when it is done`;
}
