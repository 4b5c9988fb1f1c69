import type { HttpRetry } from "../manifest/virtual-service.ts";
import type { Retry } from "./route-table.ts";

const defaultAttempts = 2;
const defaultConditions = ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"];

/**
 * What a proxy retries. Without a policy Istio retries twice on failures that reached no application; `attempts: 0`
 * turns retries off. A consistent hash keeps retries on the host that the hash names.
 * Source: Istio `pilot/pkg/networking/core/route/retry/retry.go`.
 */
export function buildRetry(policy: HttpRetry | undefined, usesConsistentHash: boolean): Retry | undefined {
  if (policy === undefined) {
    return { ...defaultRetry, avoidsPreviousHosts: !usesConsistentHash };
  }
  if (policy.attempts <= 0) {
    return undefined;
  }
  return {
    attempts: policy.attempts,
    ...conditionsOf(policy.retryOn),
    perTryTimeoutMs: policy.perTryTimeoutMs,
    backoffMs: policy.backoffMs,
    avoidsPreviousHosts: policy.retryIgnorePreviousHosts ?? !usesConsistentHash,
    ...(policy.retryRemoteLocalities ? { avoidsPreviousPriorities: true } : {}),
  };
}

const defaultRetry: Retry = {
  attempts: defaultAttempts,
  on: defaultConditions,
  statusCodes: [],
  perTryTimeoutMs: undefined,
  backoffMs: undefined,
  avoidsPreviousHosts: true,
};

/** Numbers among the tokens are status codes; naming one implies the token that makes codes count. */
function conditionsOf(retryOn: string | undefined): Pick<Retry, "on" | "statusCodes"> {
  if (retryOn === undefined || retryOn === "") {
    return { on: defaultConditions, statusCodes: [] };
  }
  const tokens = retryOn
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
  const statusCodes = tokens.filter(isStatusCode).map(Number);
  const on = tokens.filter((token) => !isStatusCode(token));
  const needsToken = statusCodes.length > 0 && !on.includes("retriable-status-codes");
  return { on: needsToken ? [...on, "retriable-status-codes"] : on, statusCodes };
}

function isStatusCode(token: string): boolean {
  return /^[1-5]\d\d$/.test(token);
}
