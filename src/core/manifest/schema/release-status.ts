import type { JsonSchema } from "./build-schema.ts";

const text = { type: "string", maxLength: 4096 };
const time = { type: "string", format: "date-time" };

/** As `metav1.Condition`, which `kubectl wait --for=condition=...` and Argo CD read. */
const condition: JsonSchema = {
  type: "object",
  description: "One thing that is so, or is not.",
  properties: {
    type: {
      type: "string",
      maxLength: 316,
      description: "Ready (done), Progressing, Paused, Failed, Proved or SpecChanged.",
    },
    status: { type: "string", enum: ["True", "False", "Unknown"], description: "Whether it is so." },
    reason: { type: "string", maxLength: 1024, description: "Why, in one word for programs." },
    message: { type: "string", maxLength: 32_768, description: "Why, in a sentence for people." },
    lastTransitionTime: { ...time, description: "Since when." },
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "Of which generation of the spec.",
    },
  },
  required: ["type", "status", "reason", "message", "lastTransitionTime"],
};

/**
 * What the controller writes into a Release's status. Fields of later versions are kept, so that two versions of the
 * controller can run side by side while one is being replaced by the other.
 */
export const releaseStatusSchema: JsonSchema = {
  type: "object",
  description: "Where the release is; written by the controller.",
  "x-kubernetes-preserve-unknown-fields": true,
  properties: {
    observedGeneration: {
      type: "integer",
      format: "int64",
      minimum: 0,
      description: "The generation that was read last.",
    },
    phase: { ...text, description: "What it is doing, in one word, such as Moving, Holding, Checking or Done." },
    step: { ...text, description: "Which step it is at, such as 2/6." },
    stepName: { ...text, description: "What that step does." },
    weight: { ...text, description: "What each version has been proved to take, such as green 10 %." },
    message: { type: "string", maxLength: 32_768, description: "What it waits for, or what has happened last." },
    startedAt: { ...time, description: "When it began." },
    endedAt: { ...time, description: "When it ended." },
    conditions: {
      type: "array",
      description: "For kubectl wait and for Argo CD.",
      items: condition,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    },
  },
};

/** The columns of `kubectl get releases`. */
export const releaseColumns: readonly JsonSchema[] = [
  { name: "To", type: "string", jsonPath: ".spec.to", description: "The version that gets the traffic." },
  { name: "Phase", type: "string", jsonPath: ".status.phase", description: "What it is doing." },
  { name: "Step", type: "string", jsonPath: ".status.step", description: "Which step it is at." },
  { name: "Weight", type: "string", jsonPath: ".status.weight", description: "What each version takes." },
  { name: "Message", type: "string", jsonPath: ".status.message", description: "What it waits for." },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];
