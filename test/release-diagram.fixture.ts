import { advanceRelease, unstarted } from "../src/core/release/state/advance-release.ts";
import type { PlannedStep } from "../src/core/release/plan/plan-release.ts";
import { isOver } from "../src/core/release/state/release-phase.ts";
import type {
  ActiveFreeze,
  ReleaseEvent,
  ReleasePhase,
  ReleaseState,
  StepPlans,
} from "../src/core/release/state/release-state.ts";
import { plainCheck } from "./check.fixture.ts";

const shift: PlannedStep = { kind: "switch", moves: [] };
const approve: PlannedStep = {
  kind: "approve",
  people: 1,
  question: undefined,
  expiresMs: undefined,
  letsStarterApprove: true,
};

/** Together they come to every phase; whether a limit takes back or stops shows only apart. */
const plans: readonly StepPlans[] = [
  { steps: [shift, { kind: "hold", durationMs: 1 }, shift], spec: plan("rollback") },
  { steps: [shift, approve, shift], spec: plan("pause") },
  { steps: [shift, { kind: "check", ...plainCheck }, shift], spec: plan("pause") },
];

function plan(action: "rollback" | "pause"): StepPlans["spec"] {
  return { maxFailed: 0, maxDuration: { durationMs: 1, action } };
}

const atMs = 10;
const freeze: ActiveFreeze = { untilMs: 20, reason: null };
const by = { atMs, actor: "ann", reason: "because" } as const;

/** One of each kind, and more where the next phase depends on what it says. */
const happenings: readonly ReleaseEvent[] = [
  { kind: "start", atMs: 0 },
  { kind: "moved", atMs, failed: 0 },
  { kind: "moved", atMs, failed: 1 },
  { kind: "moveFailed", atMs, reason: "no proof" },
  { kind: "turned", atMs, was: {}, gives: {} },
  { kind: "partlyBack", atMs, failed: 0, left: {}, waits: [] },
  { kind: "timeUp", atMs },
  { kind: "overdue", atMs },
  { kind: "overruled", atMs, reason: "other weights" },
  { kind: "judged", atMs, verdict: "pass", detail: "good" },
  { kind: "judged", atMs, verdict: "unknown", detail: "too few" },
  { kind: "judged", atMs, verdict: "fail", detail: "bad" },
  { ...by, kind: "promote", full: false },
  { ...by, kind: "promote", full: true, despiteFreeze: true },
  { ...by, kind: "pause" },
  { ...by, kind: "resume" },
  { ...by, kind: "approve" },
  { ...by, kind: "reject" },
  { ...by, kind: "retry" },
  { ...by, kind: "abort" },
  { ...by, kind: "rollback" },
  { ...by, kind: "set", shares: 30 },
];

const events = [...happenings, ...happenings.map((event) => ({ ...event, freeze }))];

type PhaseKind = ReleasePhase["kind"];

/** Far more than there are; a table without an end to its states would otherwise be walked for ever. */
const mostStates = 20_000;

/** Every phase that some event leads to from another one, found by taking every event in every state. */
function walk(): ReadonlyMap<PhaseKind, ReadonlyMap<PhaseKind, ReadonlySet<ReleaseEvent["kind"]>>> {
  const ways = new Map<PhaseKind, Map<PhaseKind, Set<ReleaseEvent["kind"]>>>();
  for (const steps of plans) {
    const seen = new Set<string>();
    const open: ReleaseState[] = [unstarted];
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const key = JSON.stringify(state);
      if (seen.has(key)) continue;
      if (seen.add(key).size > mostStates) throw new Error("The states of a release have no end.");
      for (const event of events) {
        const advanced = advanceRelease(steps, state, event);
        if (advanced.kind === "notNow") continue;
        open.push(advanced.state);
        note(ways, { from: state.phase.kind, to: advanced.state.phase.kind, event: event.kind });
      }
    }
  }
  return ways;
}

interface Way {
  readonly from: PhaseKind;
  readonly to: PhaseKind;
  readonly event: ReleaseEvent["kind"];
}

function note(ways: Map<PhaseKind, Map<PhaseKind, Set<ReleaseEvent["kind"]>>>, { from, to, event }: Way): void {
  if (from === to) return;
  const tos = ways.get(from) ?? new Map<PhaseKind, Set<ReleaseEvent["kind"]>>();
  ways.set(from, tos.set(to, (tos.get(to) ?? new Set()).add(event)));
}

/** In the order of a life, so that the picture reads from its beginning to its ends. */
const inOrder: Readonly<Record<PhaseKind, number>> = {
  planned: 0,
  frozen: 1,
  moving: 2,
  holding: 3,
  checking: 4,
  awaiting: 5,
  paused: 6,
  setting: 7,
  failed: 8,
  rollingBack: 9,
  redoing: 10,
  done: 11,
  aborted: 12,
  rolledBack: 13,
};

/** Mermaid, as ARCHITECTURE.md shows it. Two steps of the same kind after each other are left out. */
export function renderReleasePhases(): string {
  const ways = walk();
  const kinds = sortKinds(Object.keys(inOrder).filter(isKind));
  const lines = kinds.flatMap((from) =>
    sortKinds([...(ways.get(from)?.keys() ?? [])]).map((to) => {
      const names = happenings.map(({ kind }) => kind).filter((kind) => ways.get(from)?.get(to)?.has(kind) === true);
      return `  ${from} --> ${to}: ${[...new Set(names)].join(", ")}`;
    }),
  );
  const ends = kinds.filter((kind) => isEnd(kind)).map((kind) => `  ${kind} --> [*]`);
  return ["stateDiagram-v2", "  [*] --> planned", ...lines, ...ends].join("\n");
}

function sortKinds(kinds: readonly PhaseKind[]): readonly PhaseKind[] {
  return kinds.toSorted((a, b) => inOrder[a] - inOrder[b]);
}

function isKind(name: string): name is PhaseKind {
  return name in inOrder;
}

function isEnd(kind: PhaseKind): boolean {
  return isOver({ kind });
}
