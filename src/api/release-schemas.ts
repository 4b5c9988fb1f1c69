import { flag, list, name, nullable, number, object, text, weights } from "./schema-parts.ts";
import { planSchema } from "./schemas.ts";

/** The shapes of releases, as in schemas.ts. */
export const releaseSourceSchema = {
  type: "object",
  additionalProperties: false,
  required: ["path", "text", "actor"],
  properties: {
    path: { type: "string", maxLength: 4096, description: "Where the text is from, for errors." },
    text: { type: "string", maxLength: 1_048_576, description: "YAML that holds the Release." },
    release: name("`namespace/name`, where the text holds several."),
    actor: name("Who asks, for the history."),
    reason: { type: "string", maxLength: 1000, description: "Why, for the history." },
  },
} as const;

export const releaseOrderSchema = {
  type: "object",
  additionalProperties: false,
  required: ["command"],
  properties: {
    command: {
      type: "object",
      additionalProperties: false,
      required: ["kind"],
      properties: {
        kind: {
          type: "string",
          enum: ["promote", "pause", "resume", "approve", "reject", "retry", "abort", "rollback", "set"],
          description: "What to do.",
        },
        full: { type: "boolean", description: "With promote: every hold and check that is left is passed." },
        despiteFreeze: {
          type: "boolean",
          description: "With promote: a freeze that is in force does not hold it back; needs a reason.",
        },
        now: {
          type: "boolean",
          description: "With rollback: everything goes back at once, whatever endpoints there are.",
        },
        despiteChanges: {
          type: "boolean",
          description: "With rollback: overwrites what others have changed since the release.",
        },
        shares: {
          anyOf: [
            { type: "number", minimum: 0, maximum: 100 },
            { type: "object", maxProperties: 32, additionalProperties: { type: "number", minimum: 0, maximum: 100 } },
          ],
          description: "With set: percentages by version, or of the new one alone; the others keep the rest.",
        },
      },
    },
    actor: name("Who asks, for the history. The page may leave it out: it is whom its link was made for."),
    reason: { type: "string", maxLength: 1000, description: "Why, for the history." },
  },
} as const;

const commonStepSchema = object(
  {
    kind: text("weight, switch, preview, mirror, affinity, hold, check, bake, approve, subsets or finish."),
    moves: list(planSchema, "Of weight and switch: one plan a route."),
    site: text(
      "Of weight and switch: the one context that it moves, where a release moves several one after the other.",
    ),
    does: text("Of subsets: add or remove."),
    edits: list(
      object(
        {
          destinationRule: text("`namespace/name`."),
          add: list({ type: "object", additionalProperties: true }, "Subsets that are there afterwards."),
          remove: list(
            { type: "object", additionalProperties: true },
            "Subsets that are not, with all that they were.",
          ),
          order: list({ type: "string" }, "Where it removes some: the names of all before it, in their order."),
        },
        ["order"],
      ),
      "Of subsets: what is done; the way back does the opposite.",
    ),
    durationMs: number("Of hold and check: how long; a hold without it lasts until it is promoted."),
    minRequests: number("Of check: fewer than this say nothing."),
    minSuccessPercent: number("Of check: the least share of good answers; without it, any will do."),
    comparesWithLive: flag("Of check: whether a worse share than that of the version before fails."),
    people: number("Of approve: how many have to say yes."),
    question: text("Of approve: what they are asked."),
    expiresMs: number("Of approve: how long a yes counts; without it, for ever."),
    letsStarterApprove: flag("Of approve: whether who started the release may be one of them."),
  },
  [
    "expiresMs",
    "letsStarterApprove",
    "moves",
    "site",
    "does",
    "edits",
    "durationMs",
    "minRequests",
    "minSuccessPercent",
    "comparesWithLive",
    "people",
    "question",
  ],
);

/** What else a kind of step has is answered too: whoever plans a release wants all of it. */
const stepPlanSchema = { ...commonStepSchema, additionalProperties: true };

export const releasePlanSchema = object({
  release: text("`namespace/name`."),
  to: text("The version that everything goes to."),
  steps: list(stepPlanSchema, "In order."),
  spec: { type: "object", additionalProperties: true, description: "The Release's spec." },
});

const liveSchema = object({
  atMs: number("When the proxies were asked, in milliseconds since the epoch."),
  rules: list(
    object({
      virtualService: text("`namespace/name`."),
      rule: number("From 0."),
      name: nullable({ type: "string" }, "Its name."),
      wanted: weights("Percent by version, as it should be."),
      observed: nullable(weights("Percent by version."), "What the proxies use; null where they could not be asked."),
      isAsWanted: nullable({ type: "boolean" }, "Whether both are the same; null where nothing was observed."),
    }),
    "Every rule that the release moves.",
  ),
  versions: list(
    object({
      virtualService: text("`namespace/name`."),
      name: text("The version."),
      requestsPerSecond: number("Of the last second."),
      errorsPerSecond: number("Answers of 500 and more."),
      latency: nullable(
        object({ p50Ms: number("Half of the answers took no longer."), p99Ms: number("99 of 100 did.") }),
        "How long answers took in the last seconds; null where there were none.",
      ),
    }),
    "Every version of every VirtualService.",
  ),
});

const approvalSchema = object({
  people: number("How many different people have to say yes."),
  question: nullable({ type: "string" }, "What they are asked."),
  notBy: nullable({ type: "string" }, "Who may not, because they started it."),
  given: list(
    object({
      actor: text("Who said yes, as they named themselves."),
      atMs: number("When, in milliseconds since the epoch."),
      reason: nullable({ type: "string" }, "Why."),
      untilMs: nullable({ type: "number" }, "Until when it counts; null for ever."),
    }),
    "Oldest first.",
  ),
});

const summaryProperties = {
  id: text("Its id."),
  release: text("`namespace/name`."),
  to: text("The version that everything goes to."),
  services: list({ type: "string" }, "`namespace/name` of every VirtualService that it moves."),
  phase: text(
    "planned, moving, holding, checking, awaiting, frozen, paused, failed, setting, rollingBack, redoing, done, aborted or rolledBack.",
  ),
  step: nullable({ type: "number" }, "The step that the phase is about, from 1."),
  message: text("What it does, or what it waits for."),
  untilMs: nullable(
    { type: "number" },
    "When what it waits for changes by itself, in milliseconds since the epoch: a hold or a freeze ends, a yes expires.",
  ),
  approval: nullable(approvalSchema, "Whose yes it waits for; null where it asks nobody."),
  limitMs: nullable(
    { type: "number" },
    "When it has taken as long as it may, in milliseconds since the epoch; null without a limit.",
  ),
  steps: list(
    object({
      number: number("From 1."),
      kind: text("weight, switch, preview, mirror, affinity, hold, check, bake, approve, subsets or finish."),
      state: text("done, now, next or undone."),
      summary: text("What it gives, or what it waits for."),
    }),
    "In order.",
  ),
  startedAt: text("ISO 8601."),
  actor: text("Who started it."),
  reason: nullable({ type: "string" }, "Why."),
  lastEvent: nullable({ type: "object", additionalProperties: true }, "What happened to it last."),
  check: nullable(
    { type: "object", additionalProperties: true },
    "How the check that is under way is going: figures of both versions and each judge; null while there is none.",
  ),
  live: nullable(liveSchema, "What the proxies do for it; null where nobody asked, and where it is over."),
};

export const releaseSchema = object({
  ...summaryProperties,
  plan: releasePlanSchema,
  events: list({ type: "object", additionalProperties: true }, "What happened to it, oldest first."),
});

export const releaseListSchema = list(object(summaryProperties), "Newest first.");

export const releaseChoicesSchema = list(
  object({
    command: { type: "object", additionalProperties: true, description: "As an order takes it." },
    consequence: text("What would follow, in a sentence or two."),
  }),
  "What a person can tell the release now.",
);
