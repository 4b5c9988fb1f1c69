import {
  advance,
  isRecordEffect,
  type MoveEffect,
  type MoveEvent,
  type MoveState,
  type RecordEffect,
} from "../core/release/move/advance.ts";
import type { MovePlan, SplitChange } from "../core/release/move/move.ts";
import type { SplitId } from "../core/routes/route-table.ts";
import { applyOrFail, eventOf, timeoutOf } from "./apply-weights.ts";
import type { UnfinishedMove } from "./fold-journal.ts";
import type { JournalRecord } from "./journal-record.ts";
import { observeChanges, type Sight } from "./observe-weights.ts";
import type { MoveOptions } from "./run-move.ts";

/** How a move without an end was ended. */
export interface Recovery {
  readonly id: string;
  readonly virtualService: string;
  readonly plan: MovePlan;
  /** `completed`: its weights were live and stay. `restored`: those before it are live. `stuck`: neither is proved. */
  readonly outcome: "completed" | "restored" | "stuck";
  readonly found: Sight;
  /** What was found and done, in one sentence. */
  readonly message: string;
}

export interface RecoverOptions extends Omit<MoveOptions, "onProgress" | "onDefect" | "settleMs"> {
  /** Rules of the manifests as they are now; a rule that is gone has no traffic to put right. */
  readonly isKnownSplit: (split: SplitId) => boolean;
  /** What kept the move from its end: the beginning of a sentence that goes on with "during the move". */
  readonly brokeOff: string;
}

/**
 * Ends a move that broke off by what the proxies show, never by what was meant: all of its weights live completes it,
 * all of the earlier ones ends it as restored, anything else puts the earlier ones back.
 */
export async function recoverMove(move: UnfinishedMove, options: RecoverOptions): Promise<Recovery> {
  const { id, plan } = move;
  const changes = plan.changes.filter(({ split }) => options.isKnownSplit(split));
  const found = await observeChanges(changes, {
    ...options,
    preferring: move.restoring === undefined ? "after" : "before",
    patienceMs: timeoutOf(plan, options.applyTimeoutMs),
  });
  let state: MoveState = { phase: move.restoring === undefined ? "found" : "foundRestoring", reason: describe(found) };
  let event: MoveEvent | undefined = eventOfSight(found);
  let notBackBecause: string | undefined;
  while (event !== undefined) {
    const step = advance(state, event);
    state = step.state;
    event = undefined;
    for (const effect of step.effects) {
      event = await carryOut(effect, { move, changes, found, notBackBecause, options });
      notBackBecause = event.reason ?? notBackBecause;
    }
  }
  const outcome = outcomeOf(state);
  return {
    id,
    virtualService: plan.virtualService,
    plan,
    outcome,
    found,
    message: sentence(outcome, { found, notBackBecause, brokeOff: options.brokeOff }),
  };
}

interface Effects {
  readonly move: UnfinishedMove;
  readonly changes: readonly SplitChange[];
  readonly found: Sight;
  /** Why it is not proved that what was before is live again; undefined where it is, or was not asked yet. */
  readonly notBackBecause: string | undefined;
  readonly options: RecoverOptions;
}

async function carryOut(effect: MoveEffect, effects: Effects): Promise<MoveEvent> {
  if (isRecordEffect(effect)) {
    effects.options.record(() => buildRecord(effect, effects));
    return { kind: "recorded" };
  }
  const { changes, options } = effects;
  const { plan } = effects.move;
  switch (effect) {
    case "applyBefore":
      return eventOf(await applyOrFail(options, { plan, which: "before", changes }));
    case "observeBefore": {
      const patience = { preferring: "before", patienceMs: timeoutOf(plan, options.applyTimeoutMs) } as const;
      const sight = await observeChanges(changes, { ...options, ...patience });
      return sight === "before" ? { kind: "passed" } : { kind: "failed", reason: describe(sight) };
    }
    // The requests of that time were counted by a process that is gone.
    case "closeLedger":
      return { kind: "passed" };
    case "preflight":
    case "openLedger":
    case "applyAfter":
    case "observeAfter":
    case "count":
      throw new Error(`A recovery does not ${effect}.`);
  }
}

function buildRecord(effect: RecordEffect, effects: Effects): JournalRecord {
  const { move, changes, found, notBackBecause, options } = effects;
  const { id } = move;
  const at = new Date(options.clock.nowMs()).toISOString();
  const unseen = { callToProofMs: null, proxies: [], ledger: null } as const;
  const gone = move.plan.changes.filter((change) => !changes.includes(change)).map(({ split }) => split);
  const base = { type: "outcome", id, at, by: "recovery", ...unseen, ...(gone.length > 0 && { gone }) } as const;
  const tell = (outcome: Recovery["outcome"]): string =>
    sentence(outcome, { found, notBackBecause, brokeOff: options.brokeOff });
  switch (effect) {
    case "recordUnproved":
      return { ...base, outcome: "unproved", message: tell("completed") };
    case "recordRestored":
      return { ...base, outcome: "restored", message: tell("restored") };
    case "recordStuck":
      return { ...base, outcome: "stuck", message: tell("stuck") };
    case "recordRestoring":
      return { type: "restoring", id, at, reason: describe(found) };
    case "recordIntent":
    case "recordRefused":
    case "recordTurnedAway":
    case "recordDone":
      throw new Error(`A recovery does not ${effect}.`);
  }
}

function eventOfSight(sight: Sight): MoveEvent {
  switch (sight) {
    case "after":
      return { kind: "showsAfter" };
    case "before":
    // Nothing of the move is left that could be live.
    case "gone":
      return { kind: "showsBefore" };
    case "other":
    case "unseen":
      return { kind: "showsOther" };
  }
}

function outcomeOf({ phase }: MoveState): Recovery["outcome"] {
  if (phase === "unproved") return "completed";
  if (phase === "restored" || phase === "stuck") return phase;
  throw new Error(`A recovery ended while it was ${phase}.`);
}

function asSentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

function describe(sight: Sight): string {
  switch (sight) {
    case "after":
      return "The proxies show the weights after the move.";
    case "before":
      return "The proxies show the weights before the move.";
    case "other":
      return "The proxies show neither the weights before the move nor those after it.";
    case "unseen":
      return "No proxy could be asked which weights are live.";
    case "gone":
      return "The manifests no longer have the rules that it moved.";
  }
}

function sentence(
  outcome: Recovery["outcome"],
  { found, notBackBecause, brokeOff }: Pick<Effects, "found" | "notBackBecause"> & { readonly brokeOff: string },
): string {
  const begin = `${brokeOff} during the move. ${describe(found)}`;
  switch (outcome) {
    case "completed":
      return `${begin} They stay; its requests were not counted to the end.`;
    case "restored":
      if (found === "gone") return `${begin} There was nothing to put back.`;
      return found === "before" ? `${begin} They stay.` : `${begin} Those before it were put back.`;
    case "stuck":
      return `${begin} Those before it could not be proved${notBackBecause === undefined ? "." : `: ${asSentence(notBackBecause)}`}`;
  }
}
