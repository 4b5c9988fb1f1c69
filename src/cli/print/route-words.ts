import type { HeaderMutation, PathRewrite, Retry, Route } from "../../core/routes/route-table.ts";
import { nameDestination, type NamedDestination } from "../../core/routes/name-destination.ts";
import { type ListedAction, type ListedArm, type ListedRoute } from "../list-routes.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";

/** Where requests go, such as `90 % reviews:9080 v1, 10 % reviews:9080 v2`. */
export function renderAction(action: ListedAction): string {
  switch (action.kind) {
    case "forward":
      return renderArms(action.arms);
    case "redirect":
      return `redirect ${action.status} to ${renderLocation(action)}`;
    case "direct":
      return action.bodyBytes === 0 ? `answer ${action.status}` : `answer ${action.status}, ${action.bodyBytes} bytes`;
  }
}

/** Shares of one rule; a single destination has no percentage. */
export function renderArms(arms: readonly ListedArm[]): string {
  return arms
    .map((arm) => {
      const share = arms.length === 1 ? "" : `${arm.weightPercent} % `;
      return `${share}${renderDestination(arm)}${arm.exists ? "" : " (does not exist: 503)"}`;
    })
    .join(", ");
}

/** `reviews.shop.svc.cluster.local:9080 v1`. */
function renderDestination({ host, port, subset }: NamedDestination): string {
  return `${host}${port === 0 ? "" : `:${port}`}${subset === null ? "" : ` ${subset}`}`;
}

function renderLocation({ scheme, host, port, path }: Extract<ListedAction, { kind: "redirect" }>): string {
  const authority = host === null && port === null ? "" : `//${host ?? "HOST"}${port === null ? "" : `:${port}`}`;
  const target = path === null ? "" : path.kind === "full" ? path.value : `${path.value}... (in place of the prefix)`;
  return `${scheme === null ? "" : `${scheme}:`}${authority}${target}` || "the same place";
}

/** What else happens to a request that a route takes, each in a few words. */
export function renderExtras({
  action,
  fault,
  cors,
}: Pick<ListedRoute, "action" | "fault" | "cors">): readonly string[] {
  const extras = action.kind === "forward" ? renderForwarding(action) : [];
  return [...renderFault(fault), ...(cors === null ? [] : ["CORS"]), ...extras];
}

function renderForwarding(action: Extract<ListedAction, { kind: "forward" }>): readonly string[] {
  return [
    ...(action.pathRewrite === null ? [] : [renderRewrite(action.pathRewrite)]),
    ...(action.hostRewrite === null ? [] : [`host becomes ${action.hostRewrite}`]),
    ...(action.timeoutMs === 0 ? [] : [`timeout ${renderDuration(action.timeoutMs)}`]),
    ...(action.retry === null ? ["no retry"] : isDefaultRetry(action.retry) ? [] : [renderRetry(action.retry)]),
    ...action.mirrors.map(
      ({ destination, percent }) => `mirror ${percent} % to ${renderDestination(nameDestination(destination))}`,
    ),
    ...renderMutation("request", action.requestHeaders),
    ...renderMutation("response", action.responseHeaders),
  ];
}

function renderRewrite(rewrite: PathRewrite): string {
  switch (rewrite.kind) {
    case "prefix":
      return `prefix becomes ${rewrite.value}`;
    case "full":
      return `path becomes ${rewrite.value}`;
    case "regex":
      return `path: ${rewrite.pattern} becomes ${rewrite.substitution}`;
  }
}

/** What Istio gives a rule that says nothing of retries. Source: `pilot/pkg/networking/core/route/retry/retry.go`. */
const defaultConditions = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** Most routes have Istio's own retries, and a list need not say so each time. */
export function isDefaultRetry({ attempts, on, statusCodes, perTryTimeoutMs }: Retry): boolean {
  return (
    attempts === 2 && on.join(",") === defaultConditions && statusCodes.length === 0 && perTryTimeoutMs === undefined
  );
}

function renderRetry({ attempts, on, statusCodes, perTryTimeoutMs }: Retry): string {
  const tries = attempts === 1 ? "1 retry" : `${attempts} retries`;
  const reasons = [...on, ...statusCodes].join(",");
  const each = perTryTimeoutMs === undefined ? "" : `, ${renderDuration(perTryTimeoutMs)} each`;
  return `${tries} on ${reasons}${each}`;
}

function renderFault(fault: Route["fault"] | null): readonly string[] {
  if (fault === null || fault === undefined) return [];
  const { delay, abort } = fault;
  const status = abort?.kind === "grpc" ? `gRPC status ${abort.status}` : `${abort?.status}`;
  return [
    ...(delay === undefined ? [] : [`delay ${delay.percent} % by ${renderDuration(delay.delayMs)}`]),
    ...(abort === undefined ? [] : [`abort ${abort.percent} % with ${status}`]),
  ];
}

/** `request headers: set x-version, remove cookie`; values stay out, because they may be credentials. */
function renderMutation(which: "request" | "response", { set, add, remove }: HeaderMutation): readonly string[] {
  const parts = [
    ...(set.length === 0 ? [] : [`set ${set.map(([name]) => name).join(" ")}`]),
    ...(add.length === 0 ? [] : [`add ${add.map(([name]) => name).join(" ")}`]),
    ...(remove.length === 0 ? [] : [`remove ${remove.join(" ")}`]),
  ];
  return parts.length === 0 ? [] : [`${which} headers: ${parts.join(", ")}`];
}
