import { flag, list, nullable, number, object, text, weights } from "./schema-parts.ts";
import { ledgerSchema, proofSchema } from "./schemas.ts";

/** The shape of a release's report, version 1, as in schemas.ts. */
const answers = {
  requests: number("ok + failed."),
  ok: number("Answers below 500."),
  failed: number("Answers of 500 and more."),
};

const countedSchema = object({
  ...answers,
  byVersion: { type: "object", additionalProperties: object(answers), description: "The same by version." },
  isComplete: flag("False where a proxy started anew or could not be asked, so that answers are missing."),
});

const moveSchema = object({
  at: text("ISO 8601."),
  id: nullable({ type: "string" }, "Its id in the history; null where it did not come so far."),
  shares: nullable(
    object({ before: weights("Percent by version."), after: weights("The same.") }),
    "Of the first VirtualService; null where no weight was moved.",
  ),
  isMoved: flag("Whether the weights were moved and proved."),
  message: nullable({ type: "string" }, "Why not, or what else is to be said."),
  callToProofMs: nullable({ type: "number" }, "From the call until every worker of every proxy had proved it."),
  provedAt: nullable({ type: "string" }, "ISO 8601."),
  proxies: list(proofSchema, "Each of them."),
  ledger: nullable(ledgerSchema, "Every request while it ran, by the proxies' access log."),
  probes: nullable({ type: "object", additionalProperties: true }, "Requests that kirikae has sent meanwhile."),
});

const stage = {
  startedAt: nullable({ type: "string" }, "ISO 8601; null where it was not come to."),
  endedAt: nullable({ type: "string" }, "ISO 8601; null while it goes on."),
  tookMs: number("The time that was spent on it."),
  counted: countedSchema,
  moves: list(moveSchema, "Weights that were moved, or were to be moved."),
  verdicts: list(
    object({
      at: text("ISO 8601."),
      verdict: text("pass, fail or unknown."),
      detail: text("Why."),
      results: list({ type: "object", additionalProperties: true }, "What each judge has found."),
    }),
    "Of its checks.",
  ),
};

const stepSchema = object({
  number: number("From 1."),
  kind: text("Of the step."),
  state: text("done, now, next, undone or passed over."),
  summary: text("What it gives, or what it waits for."),
  inverse: text("What undoes it."),
  changes: list(
    object({
      virtualService: text("`namespace/name`."),
      before: weights("Percent of everybody's traffic by version."),
      after: weights("The same after it."),
    }),
    "Of each VirtualService that it moves.",
  ),
  ...stage,
  approvals: list(
    object({
      at: text("ISO 8601."),
      actor: text("Who."),
      answer: text("approve or reject."),
      reason: nullable({ type: "string" }, "Why."),
    }),
    "Each yes and no.",
  ),
});

const detourSchema = object({
  kind: text("back is to before the release, again is the undo of that."),
  actor: text("Who wanted it; kirikae where a judge did."),
  reason: nullable({ type: "string" }, "Why."),
  ...stage,
});

const takenBackSchema = object({
  decidedAt: text("ISO 8601."),
  backAt: text("When every proxy had proved that all traffic was back, that of previews included, ISO 8601."),
  decisionToBackMs: number("Between the two."),
  firstError: nullable(
    object({
      after: text("The look at the counters before it, ISO 8601."),
      withinMs: number("It came at most so long after that."),
      toBackMs: number("From that look to backAt, so that it is at most this."),
    }),
    "The first error of the new version; null where none was seen.",
  ),
});

export const reportSchema = object({
  version: number("Of this shape: 1. Fields may be added to it."),
  madeAt: text("ISO 8601."),
  release: text("`namespace/name`."),
  id: text("Its id."),
  services: list({ type: "string" }, "`namespace/name` of every VirtualService that it moves."),
  from: nullable({ type: "string" }, "The version before; null where no step moves weights."),
  to: text("The version that everything goes to."),
  phase: text("As in the release."),
  message: text("What it does, waits for, or how it ended."),
  startedAt: text("ISO 8601."),
  endedAt: nullable({ type: "string" }, "ISO 8601; null while it runs."),
  tookMs: number("Until its end, or until now."),
  actor: text("Who started it."),
  reason: nullable({ type: "string" }, "Why."),
  steps: list(stepSchema, "In order."),
  detours: list(detourSchema, "Each way back, and each undo of one."),
  counted: countedSchema,
  newVersion: object({
    names: list({ type: "string" }, "Of the version that everything goes to."),
    ...answers,
  }),
  takenBack: nullable(takenBackSchema, "How fast the last way back was; null where none has ended."),
  mirrors: list({ type: "object", additionalProperties: true }, "What copies of requests have shown."),
  points: list(
    object({
      fromMs: number("Milliseconds since the epoch."),
      untilMs: number("The same."),
      byVersion: { type: "object", additionalProperties: true, description: "requests and failed by version." },
    }),
    "Traffic over time.",
  ),
  story: list(
    object({
      at: text("ISO 8601."),
      actor: nullable({ type: "string" }, "Null for what happens by itself."),
      what: text("In words."),
    }),
    "All that happened, oldest first.",
  ),
});
