/** What may happen in each phase of a move; a phase without events is an end. */
interface PhaseEvents {
  planned: "start";
  preflight: "passed" | "failed";
  opening: "passed" | "failed";
  intending: "recorded";
  applying: "passed" | "failed" | "untouched";
  observing: "passed" | "failed";
  counting: "counted";
  closing: "passed" | "failed";
  concluding: "recorded";
  doubting: "recorded";
  refusing: "recorded";
  turningAway: "recorded";
  announcing: "recorded";
  restoring: "passed" | "failed" | "untouched";
  checking: "passed" | "failed";
  settingBack: "recorded";
  givingUp: "recorded";
  found: "showsAfter" | "showsBefore" | "showsOther";
  foundRestoring: "showsAfter" | "showsBefore" | "showsOther";
  done: never;
  unproved: never;
  refused: never;
  restored: never;
  stuck: never;
}

export type MovePhase = keyof PhaseEvents;
type MoveEventKind = PhaseEvents[MovePhase];

/** A line for the journal. */
export type RecordEffect =
  | "recordIntent"
  | "recordRefused"
  | "recordTurnedAway"
  | "recordDone"
  | "recordUnproved"
  | "recordRestoring"
  | "recordRestored"
  | "recordStuck";

/** What the engine is to do; the last effect of a transition answers with the next event. */
export type MoveEffect =
  | RecordEffect
  | "preflight"
  | "openLedger"
  | "applyAfter"
  | "observeAfter"
  | "count"
  | "closeLedger"
  | "applyBefore"
  | "observeBefore";

export function isRecordEffect(effect: MoveEffect): effect is RecordEffect {
  return effect.startsWith("record");
}

export interface MoveState {
  readonly phase: MovePhase;
  /** Why the move is not going on as planned: the first thing that went wrong. */
  readonly reason: string | undefined;
}

export interface MoveEvent {
  readonly kind: MoveEventKind;
  readonly reason?: string | undefined;
}

interface Transition {
  readonly to: MovePhase;
  readonly effects: readonly MoveEffect[];
}

type TransitionTable = { readonly [P in MovePhase]: Readonly<Record<PhaseEvents[P], Transition>> };

function go(to: MovePhase, ...effects: readonly MoveEffect[]): Transition {
  return { to, effects };
}

/**
 * The whole life of a move. The types ask for an entry for every event of every phase. Each apply stands behind a record
 * (`intending` before `applying`, `announcing` before `restoring`), so whatever dies, the journal says what may be half
 * done. An apply that has changed nothing (`untouched`) has nothing to take back. `found` is where the next start takes up a move without an end, `foundRestoring` one that was being taken back.
 */
const transitions: TransitionTable = {
  planned: { start: go("preflight", "preflight") },
  preflight: { passed: go("opening", "openLedger"), failed: go("refusing", "recordRefused") },
  opening: { passed: go("intending", "recordIntent"), failed: go("refusing", "recordRefused") },
  intending: { recorded: go("applying", "applyAfter") },
  applying: {
    passed: go("observing", "observeAfter"),
    failed: go("announcing", "recordRestoring"),
    untouched: go("turningAway", "closeLedger", "recordTurnedAway"),
  },
  observing: { passed: go("counting", "count"), failed: go("announcing", "recordRestoring") },
  counting: { counted: go("closing", "closeLedger") },
  closing: { passed: go("concluding", "recordDone"), failed: go("doubting", "recordUnproved") },
  concluding: { recorded: go("done") },
  doubting: { recorded: go("unproved") },
  refusing: { recorded: go("refused") },
  turningAway: { recorded: go("refused") },
  announcing: { recorded: go("restoring", "applyBefore") },
  restoring: {
    passed: go("checking", "observeBefore"),
    failed: go("givingUp", "closeLedger", "recordStuck"),
    untouched: go("givingUp", "closeLedger", "recordStuck"),
  },
  checking: {
    passed: go("settingBack", "closeLedger", "recordRestored"),
    failed: go("givingUp", "closeLedger", "recordStuck"),
  },
  settingBack: { recorded: go("restored") },
  givingUp: { recorded: go("stuck") },
  found: {
    showsAfter: go("doubting", "recordUnproved"),
    showsBefore: go("settingBack", "recordRestored"),
    showsOther: go("announcing", "recordRestoring"),
  },
  foundRestoring: {
    showsAfter: go("restoring", "applyBefore"),
    showsBefore: go("settingBack", "recordRestored"),
    showsOther: go("restoring", "applyBefore"),
  },
  done: {},
  unproved: {},
  refused: {},
  restored: {},
  stuck: {},
};

/** Takes one step. Throws on an event that the phase does not have, which is a defect of the caller. */
export function advance(
  state: MoveState,
  event: MoveEvent,
): { readonly state: MoveState; readonly effects: readonly MoveEffect[] } {
  const outgoing: Partial<Record<MoveEventKind, Transition>> = transitions[state.phase];
  const transition = outgoing[event.kind];
  if (transition === undefined) throw new Error(`A move that is ${state.phase} knows no event ${event.kind}.`);
  return { state: { phase: transition.to, reason: state.reason ?? event.reason }, effects: transition.effects };
}

/** The table as data, for the diagram and for tests that walk it. */
export function listTransitions(): readonly ListedTransition[] {
  return Object.entries(transitions).flatMap(([from, outgoing]) =>
    Object.entries<Transition>(outgoing).map(([event, { to, effects }]) => ({ from, event, to, effects })),
  );
}

export interface ListedTransition {
  /** A phase and an event, as text. */
  readonly from: string;
  readonly event: string;
  readonly to: MovePhase;
  readonly effects: readonly MoveEffect[];
}

/** Renders the table as a mermaid state diagram for ARCHITECTURE.md. */
export function renderTransitions(): string {
  const arrows = listTransitions().map(({ from, event, to, effects }) => {
    const does = effects.length > 0 ? ` / ${effects.join(", ")}` : "";
    return `  ${from} --> ${to}: ${event}${does}`;
  });
  const ends = Object.entries(transitions)
    .filter(([, outgoing]) => Object.keys(outgoing).length === 0)
    .map(([phase]) => `  ${phase} --> [*]`);
  return [
    "stateDiagram-v2",
    "  [*] --> planned",
    "  [*] --> found: restart",
    "  [*] --> foundRestoring: restart",
    ...arrows,
    ...ends,
  ].join("\n");
}
