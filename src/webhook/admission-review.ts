import { parseJson } from "../core/manifest/parse-json.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";

/** What the API server asks (admission.k8s.io/v1, `AdmissionRequest`), as far as it is read. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  /** As it would be stored; undefined for DELETE. */
  readonly object: KubeObject | undefined;
  /** As it is; undefined for CREATE. */
  readonly oldObject: KubeObject | undefined;
}

export type AdmissionAnswer =
  | { readonly kind: "allowed"; readonly warnings: readonly string[] }
  | { readonly kind: "denied"; readonly message: string; readonly warnings: readonly string[] }
  /** Nobody knows whether it is right; who asks decides by policy. */
  | { readonly kind: "unjudged"; readonly reason: string };

/** Whether the API server stores what kirikae could not judge. */
export type FailurePolicy = "open" | "closed";

/** Deeper than any object of Istio, and far from what recursion can bear. */
const deepest = 100;

/** @returns undefined for what is no review, or nested deeper than any object. */
export function parseReview(text: string): AdmissionRequest | undefined {
  const review = parseJson(text);
  if (!isMapping(review) || review["kind"] !== "AdmissionReview" || isDeeperThan(review, deepest)) return undefined;
  const request = review["request"];
  if (!isMapping(request)) return undefined;
  const { uid, operation, object, oldObject } = request;
  if (typeof uid !== "string" || uid === "" || uid.length > 256) return undefined;
  const known = (["CREATE", "UPDATE", "DELETE"] as const).find((each) => each === operation);
  if (known === undefined) return undefined;
  return { uid, operation: known, object: asObject(object), oldObject: asObject(oldObject) };
}

const notChecked = "KIR4092";

/** The answer that the API server understands. */
export function renderReview(uid: string, answer: AdmissionAnswer, policy: FailurePolicy): string {
  const response = { uid, ...responseFor(answer, policy) };
  return JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response });
}

function responseFor(answer: AdmissionAnswer, policy: FailurePolicy): object {
  switch (answer.kind) {
    case "allowed":
      return { allowed: true, ...warningsOf(answer.warnings) };
    case "denied":
      return { allowed: false, ...refusal(403, answer.message), ...warningsOf(answer.warnings) };
    case "unjudged": {
      const said = `kirikae could not check this object: ${answer.reason} (${notChecked})`;
      return policy === "open"
        ? { allowed: true, ...warningsOf([`${said}. It was let through unchecked.`]) }
        : { allowed: false, ...refusal(503, `${said}. Nothing passes unchecked here (--webhook-failure closed).`) };
    }
  }
}

function refusal(code: number, message: string): object {
  const reason = code === 403 ? "Forbidden" : "ServiceUnavailable";
  return { status: { status: "Failure", code, reason, message } };
}

/** The API server cuts warnings after 256 characters, and drops all of them beyond 4,096. */
function warningsOf(warnings: readonly string[]): object {
  if (warnings.length === 0) return {};
  const shown = warnings.slice(0, 10).map((each) => (each.length > 256 ? `${each.slice(0, 253)}...` : each));
  return { warnings: shown };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Level by level, because a value that is deep enough ends every recursion. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? Object.values(each).filter((inner) => typeof inner === "object") : [],
    );
  }
  return false;
}

function asObject(value: unknown): KubeObject | undefined {
  if (!isMapping(value)) return undefined;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isMapping(metadata)) return undefined;
  const { name, namespace } = metadata;
  if (typeof name !== "string") return undefined;
  if (namespace !== undefined && typeof namespace !== "string") return undefined;
  return {
    ...value,
    apiVersion,
    kind,
    metadata: { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) },
  };
}
