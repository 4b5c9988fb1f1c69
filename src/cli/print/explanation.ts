import { renderLine } from "../../core/diagnostics/position.ts";
import type { ExplainedArm } from "../../core/routes/explain.ts";
import { passthroughId } from "../../core/routes/outbound-fallback.ts";
import { policyBlocks, type BlockOrigin, type PolicyBlock } from "../../core/routes/policy-origins.ts";
import type { InboundStep } from "../../core/routes/inbound-steps.ts";
import type { DestinationPolicy } from "../../core/routes/route-table-policy.ts";
import type { SimulationStep } from "../../core/routes/simulation.ts";
import type { ExplainedPolicy, RequestAnswer } from "../explain-request.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";
import { renderTable } from "../terminal.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import { isDefaultRetry, renderExtras } from "./route-words.ts";

/** The answer first, then where it is written, where the request goes and how, and what was tried on the way. */
export function renderExplanation(answer: RequestAnswer, asked: string, ink: Ink): string {
  const parts = [
    `${ink.dim(neutraliseLine(asked))}\n${renderOutcome(answer, ink)}`,
    answer.cause === null ? "" : `  because ${neutraliseLine(answer.cause)}`,
    renderRule(answer, ink),
    renderArms(answer.arms),
    renderTable(renderTreatment(answer), "  "),
    renderPolicies(answer.policies, ink),
    renderInbound(answer.inbound, ink),
    renderSteps(answer.steps, ink),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function renderOutcome({ outcome, status, flag }: RequestAnswer, ink: Ink): string {
  const code = flag === null ? String(status) : `${status} ${flag}`;
  switch (outcome) {
    case "route":
      return flag === null ? ink.green(ink.bold("routed")) : ink.red(ink.bold(`routed, and answered ${code}`));
    case "redirect":
      return ink.green(ink.bold(`redirected, ${code}`));
    case "direct":
      return ink.green(ink.bold(`answered by the proxy itself, ${code}`));
    case "miss":
      return ink.red(
        ink.bold(
          status === 0 ? "missed: nobody listens there" : `missed: no route takes it, so the client gets ${code}`,
        ),
      );
    case "reset":
      return ink.red(ink.bold("refused: the connection ends before anything is sent"));
    case "tcp":
      return flag === null ? ink.green(ink.bold("carried as bytes")) : ink.red(ink.bold(`closed, ${flag}`));
  }
}

function renderRule({ virtualService, madeFrom, rule, match, name, at }: RequestAnswer, ink: Ink): string {
  if (virtualService === null) return "";
  const number = match === null ? `rule ${rule}` : `rule ${rule} match ${match}`;
  const named = name === null ? number : `${number} (${neutraliseLine(name)})`;
  const place = at === null ? "" : `  ${ink.bold(neutraliseLine(renderLine(at)))}`;
  return `  by ${madeFrom === null ? `${ink.bold(virtualService)} ${named}` : ink.bold(madeFrom)}${place}`;
}

function renderArms(arms: readonly ExplainedArm[]): string {
  const rows = arms.map((arm) => [
    `${arm.weightPercent} %`,
    `${arm.host}${arm.port === 0 ? "" : `:${arm.port}`}${arm.subset === null ? "" : ` subset ${arm.subset}`}`,
    arm.cluster,
    describeEndpoints(arm),
  ]);
  return renderTable(rows, "  to ");
}

/** A destination that is looked up by what a request names has no endpoints of its own. */
function describeEndpoints({ cluster, host, endpoints }: ExplainedArm): string {
  if (endpoints.length > 0) return endpoints.join(", ");
  return cluster === passthroughId || host.startsWith("*") ? "the address that its name has" : "no known endpoint";
}

/** What happens to the request on its way, a line each. */
function renderTreatment({
  action,
  fault,
  cors,
  sent,
  location,
  filterChain,
}: RequestAnswer): readonly (readonly string[])[] {
  const extras = action === null ? [] : renderExtras({ action, fault, cors });
  const retries =
    action?.kind === "forward" && action.retry !== null && isDefaultRetry(action.retry)
      ? ["2 retries where no connection came about (Istio's default)"]
      : [];
  const timeout = action?.kind === "forward" && action.timeoutMs === 0 ? ["no timeout (Istio's default)"] : [];
  const lines = [...extras, ...timeout, ...retries].map(neutraliseLine);
  return [
    ...(filterChain?.tls === "mutual" ? [["from", "clients whose certificate the gateway trusts (MUTUAL)"]] : []),
    ...(sent === null ? [] : [["sent as", neutraliseLine(`${sent.target} for ${sent.authorities.join(" or ")}`)]]),
    ...(location === null ? [] : [["to", neutraliseLine(location)]]),
    ...lines.map((line, index) => [index === 0 ? "with" : "", line]),
  ];
}

/** Destinations with one policy are told of once. */
function renderPolicies(policies: readonly ExplainedPolicy[], ink: Ink): string {
  const groups = Map.groupBy(policies, ({ policy, blocks }) => JSON.stringify([policy, blocks]));
  return [...groups.values()]
    .flatMap(([first, ...others]) => (first === undefined ? [] : [renderPolicy(first, others, ink)]))
    .join("\n");
}

function renderPolicy(first: ExplainedPolicy, others: readonly ExplainedPolicy[], ink: Ink): string {
  const clusters = [first, ...others].map(({ cluster }) => cluster).join(" and ");
  const rows = policyBlocks.map((block) => [
    blockNames[block],
    describeBlock(block, first.policy),
    ink.dim(renderOrigin(first.blocks[block])),
  ]);
  return `Policy of ${clusters}\n${renderTable(rows, "  ")}`;
}

const blockNames: Readonly<Record<PolicyBlock, string>> = {
  loadBalancer: "load balancer",
  connectionPool: "connection pool",
  outlierDetection: "outlier detection",
  tls: "TLS",
};

function renderOrigin(origin: BlockOrigin | undefined): string {
  if (origin === undefined) return "Istio's default";
  const { destinationRule, subset, port, at } = origin;
  const parts = [
    `DestinationRule ${destinationRule}`,
    ...(subset === undefined ? [] : [`subset ${subset}`]),
    ...(port === undefined ? [] : [`port ${port}`]),
  ];
  return neutraliseLine(`${parts.join(", ")}  ${renderLine(at)}`);
}

function describeBlock(block: PolicyBlock, policy: DestinationPolicy): string {
  switch (block) {
    case "loadBalancer":
      return describeBalancer(policy.loadBalancer);
    case "connectionPool":
      return describeConnections(policy);
    case "outlierDetection":
      return describeOutliers(policy.outlierDetection);
    case "tls":
      return policy.tls === undefined
        ? "plain text"
        : `TLS for ${policy.tls.sni ?? "the Host header"}, trust ${policy.tls.trust.kind}`;
  }
}

/** The last hop, which callers do not see: of what stands there only limits of connections count. */
function renderInbound(steps: readonly InboundStep[], ink: Ink): string {
  if (steps.length === 0) return "";
  const rows = steps.map(({ workload, replica, listener, cluster, policy }) => [
    `${workload} replica ${replica}`,
    `listener ${listener}`,
    `cluster ${cluster}`,
    ink.dim(describeConnections(policy)),
  ]);
  return `By the sidecar of the workload\n${renderTable(rows, "  ")}`;
}

const balancerNames: Readonly<Record<DestinationPolicy["loadBalancer"]["kind"], string>> = {
  roundRobin: "round robin",
  leastRequest: "least request",
  random: "random",
  ringHash: "ring hash",
  maglev: "maglev",
};

function describeBalancer(balancer: DestinationPolicy["loadBalancer"]): string {
  const name = balancerNames[balancer.kind];
  return "key" in balancer ? `${name} by ${balancer.key.kind}` : name;
}

function describeConnections(policy: DestinationPolicy): string {
  const limits = [
    ["connections", policy.maxConnections],
    ["pending requests", policy.maxPendingRequests],
    ["requests", policy.maxRequests],
    ["retries", policy.maxRetries],
    ["requests a connection", policy.maxRequestsPerConnection],
  ] as const;
  const set = limits.flatMap(([name, limit]) => (limit === undefined ? [] : [`at most ${limit} ${name}`]));
  return [
    ...(set.length === 0 ? ["no limit"] : set),
    `connects within ${renderDuration(policy.connectTimeoutMs)}`,
  ].join(", ");
}

function describeOutliers(outliers: DestinationPolicy["outlierDetection"]): string {
  if (outliers === undefined) return "off";
  const { consecutive5xx, consecutiveGatewayFailure, consecutiveLocalOriginFailure } = outliers;
  const parts = [
    ["answers of 5xx", consecutive5xx],
    ["gateway errors", consecutiveGatewayFailure],
    ["local errors", consecutiveLocalOriginFailure],
  ] as const;
  const set = parts.flatMap(([name, count]) => (count === undefined ? [] : [`after ${count} ${name}`]));
  return set.length === 0 ? "on" : `ejects ${set.join(" or ")}`;
}

function renderSteps(steps: readonly SimulationStep[], ink: Ink): string {
  if (steps.length === 0) return "";
  const rows = steps.map((step) => [
    step.taken ? ink.green("yes") : ink.dim("no"),
    neutraliseLine(`${words[step.tried]} ${step.name}`.trimEnd()),
    step.at === undefined ? "" : ink.dim(neutraliseLine(renderLine(step.at))),
    neutraliseLine(step.reason),
  ]);
  return `Tried in this order\n${renderTable(rows, "  ")}`;
}

const words = { listener: "listener", virtualHost: "host", route: "route" } as const;
