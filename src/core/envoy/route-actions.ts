import { HeaderValueOption_HeaderAppendAction as AppendAction } from "../../gen/envoy/config/core/v3/base_pb.ts";
import type { HeaderMutationSchema } from "../../gen/envoy/config/common/mutation_rules/v3/mutation_rules_pb.ts";
import {
  RedirectAction_RedirectResponseCode as RedirectCode,
  type DirectResponseActionSchema,
  type RedirectActionSchema,
  type RetryPolicySchema,
  type RouteActionSchema,
  type RouteAction_HashPolicySchema,
  type RouteAction_RequestMirrorPolicySchema,
  type WeightedClusterSchema,
} from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { PreviousHostsPredicateSchema } from "../../gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.ts";
import { PreviousPrioritiesConfigSchema } from "../../gen/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.ts";
import type {
  Arm,
  ArmChoice,
  Destination,
  DestinationId,
  DirectAction,
  ForwardAction,
  Mirror,
  PathRewrite,
  RedirectAction,
  Retry,
  Split,
} from "../routes/route-table.ts";
import type { HashKey } from "../routes/route-table-policy.ts";
import { emitDuration, emitOptionalDuration } from "./duration.ts";
import { emitExtension } from "./extension.ts";
import { emitHeaderFields } from "./header-mutations.ts";
import { emitPercent } from "./percent.ts";
import { weightsOf } from "../routes/weights.ts";
import { steadyWeights } from "./steady-weights.ts";
import { runtimeKeyPrefix, type RuntimeKeyPrefix } from "./names.ts";
import type { Init } from "./init.ts";

type RouteActionInit = Init<typeof RouteActionSchema>;

/** Emits where a route sends its requests, with all that happens on the way. */
export function emitForward(
  action: ForwardAction,
  destinations: ReadonlyMap<DestinationId, Destination>,
): RouteActionInit {
  return {
    clusterSpecifier: emitSplit(action.split, destinations),
    ...(action.pathRewrite === undefined ? {} : emitPathRewrite(action.pathRewrite)),
    ...(action.hostRewrite === undefined
      ? {}
      : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: action.hostRewrite } }),
    // Absent would be Envoy's own 15 s; 0 is none.
    timeout: emitDuration(action.timeoutMs),
    // Deprecated for max_stream_duration, beside which Envoy no longer enforces `timeout`; Istio sends this one too.
    maxGrpcTimeout: emitDuration(action.timeoutMs),
    ...(action.retry === undefined || action.retry.attempts === 0 ? {} : { retryPolicy: emitRetry(action.retry) }),
    requestMirrorPolicies: action.mirrors.map(emitMirror),
    hashPolicy: emitHashPolicies(action.split, destinations),
  };
}

/** A split whose weights can be moved, by runtime values. */
export function isMovable(split: Split): boolean {
  return split.arms.length > 1;
}

/** Where Envoy looks for weights of this split, as long as it has these arms. */
export function runtimeKeyPrefixOf(split: Split): RuntimeKeyPrefix {
  return runtimeKeyPrefix(
    split.id,
    split.arms.map(({ destination }) => destination),
  );
}

/**
 * Requests for a single destination that does not exist get Istio's answer, 503 with the flag NC: the cluster is said to
 * be named by a header whose value never names one, because the name itself would make Envoy refuse all routes. Beside
 * other destinations it has to have a name, which its share in the runtime layer goes by; see `emitPlaceholder`.
 */
function emitSplit(
  split: Split,
  destinations: ReadonlyMap<DestinationId, Destination>,
): NonNullable<RouteActionInit["clusterSpecifier"]> {
  const [only, ...others] = split.arms;
  if (only !== undefined && others.length === 0) {
    if (!destinations.has(only.destination)) return { case: "clusterHeader", value: ":path" };
    if (!hasOwnChanges(only)) return { case: "cluster", value: only.destination };
  }
  return { case: "weightedClusters", value: emitWeightedClusters(split) };
}

/** Changes of an arm run before those of the route; only a weighted cluster has a place for them. */
function hasOwnChanges({ hostRewrite, requestHeaders, responseHeaders }: Arm): boolean {
  return (
    hostRewrite !== undefined ||
    [requestHeaders, responseHeaders].some(({ set, add, remove }) => set.length + add.length + remove.length > 0)
  );
}

function emitWeightedClusters(split: Split): Init<typeof WeightedClusterSchema> {
  const weights = steadyWeights(split, weightsOf(split));
  return {
    runtimeKeyPrefix: isMovable(split) ? runtimeKeyPrefixOf(split) : "",
    ...(split.chosenBy === undefined
      ? {}
      : { randomValueSpecifier: { case: "useHashPolicy" as const, value: { value: true } } }),
    clusters: split.arms.map((arm) => ({
      name: arm.destination,
      weight: weights[arm.destination] ?? 0,
      ...(arm.hostRewrite === undefined
        ? {}
        : { hostRewriteSpecifier: { case: "hostRewriteLiteral" as const, value: arm.hostRewrite } }),
      ...emitHeaderFields(arm.requestHeaders, arm.responseHeaders),
    })),
  };
}

function emitPathRewrite(rewrite: PathRewrite): RouteActionInit {
  switch (rewrite.kind) {
    case "prefix":
      return { prefixRewrite: rewrite.value };
    case "full":
      return { regexRewrite: { pattern: { regex: "^.*$" }, substitution: rewrite.value.replaceAll("\\", "\\\\") } };
    case "regex":
      return { regexRewrite: { pattern: { regex: rewrite.pattern }, substitution: rewrite.substitution } };
  }
}

/** Status codes only count where their token is in the list (Istio: pilot/pkg/networking/core/route/retry/retry.go). */
export function emitRetry(retry: Retry): Init<typeof RetryPolicySchema> {
  const statusToken = "retriable-status-codes";
  const needsToken = retry.statusCodes.length > 0 && !retry.on.includes(statusToken);
  return {
    retryOn: [...retry.on, ...(needsToken ? [statusToken] : [])].join(","),
    numRetries: retry.attempts,
    retriableStatusCodes: [...retry.statusCodes],
    perTryTimeout: emitOptionalDuration(retry.perTryTimeoutMs),
    ...(retry.backoffMs === undefined ? {} : { retryBackOff: { baseInterval: emitDuration(retry.backoffMs) } }),
    ...(retry.avoidsPreviousPriorities === true ? { retryPriority: previousPriorities } : {}),
    ...(retry.avoidsPreviousHosts ? { retryHostPredicate: [previousHosts], hostSelectionRetryMaxAttempts: 5n } : {}),
  };
}

const previousHosts = emitExtension("envoy.retry_host_predicates.previous_hosts", PreviousHostsPredicateSchema, {});
/** After every second try, as in Istio: pilot/pkg/networking/core/route/retry/retry.go. */
const previousPriorities = emitExtension("envoy.retry_priorities.previous_priorities", PreviousPrioritiesConfigSchema, {
  updateFrequency: 2,
});

/** Envoy would append `-shadow` to the host; Istio turned that off, so the copy is like the original. */
function emitMirror(mirror: Mirror): Init<typeof RouteAction_RequestMirrorPolicySchema> {
  return {
    cluster: mirror.destination,
    runtimeFraction: { defaultValue: emitPercent(mirror.percent) },
    traceSampled: false,
    disableShadowHostSuffixAppend: true,
    requestHeadersMutations: (mirror.marks ?? []).map(emitMark),
  };
}

/** Whatever a client has sent under that name is replaced. */
function emitMark([key, value]: readonly [name: string, value: string]): Init<typeof HeaderMutationSchema> {
  const appendAction = AppendAction.OVERWRITE_IF_EXISTS_OR_ADD;
  // Envoy reads %NAME% in it as what the request says under that name.
  const header = { key, value: value.replaceAll("%", "%%") };
  return { action: { case: "append", value: { header, appendAction } } };
}

function emitHashPolicies(
  split: Split,
  destinations: ReadonlyMap<DestinationId, Destination>,
): Init<typeof RouteAction_HashPolicySchema>[] {
  if (split.chosenBy !== undefined) return [{ policySpecifier: emitArmChoice(split.chosenBy) }];
  const keys = new Map<string, HashKey>();
  for (const arm of split.arms) {
    // An idle version's cookie must not be set on clients of the versions that serve.
    if (!arm.isDeclared && arm.weight === 0) continue;
    const balancer = destinations.get(arm.destination)?.policy.loadBalancer;
    // Arms of one host mostly share their key; once is enough.
    if (balancer !== undefined && "key" in balancer) keys.set(JSON.stringify(balancer.key), balancer.key);
  }
  return [...keys.values()].map((key) => ({ policySpecifier: emitHashKey(key) }));
}

type HashPolicySpecifier = NonNullable<Init<typeof RouteAction_HashPolicySchema>["policySpecifier"]>;

/** A cookie without a lifetime is one that Envoy only reads: it would set its own too late to choose an arm by it. */
function emitArmChoice(choice: ArmChoice): HashPolicySpecifier {
  switch (choice.kind) {
    case "cookie":
      return { case: "cookie", value: { name: choice.name } };
    case "newCookie":
      return { case: "header", value: { headerName: "x-request-id" } };
  }
}

function emitHashKey(key: HashKey): HashPolicySpecifier {
  switch (key.kind) {
    case "header":
      return { case: "header", value: { headerName: key.name } };
    case "cookie":
      return {
        case: "cookie",
        value: {
          name: key.name,
          path: key.path,
          ttl: emitOptionalDuration(key.ttlMs),
          attributes: (key.attributes ?? []).map(([name, value]) => ({ name, value })),
        },
      };
    case "sourceIp":
      return { case: "connectionProperties", value: { sourceIp: true } };
    case "query":
      return { case: "queryParameter", value: { name: key.name } };
  }
}

const redirectCodes = {
  301: RedirectCode.MOVED_PERMANENTLY,
  302: RedirectCode.FOUND,
  303: RedirectCode.SEE_OTHER,
  307: RedirectCode.TEMPORARY_REDIRECT,
  308: RedirectCode.PERMANENT_REDIRECT,
} as const;

export function emitRedirect(action: RedirectAction): Init<typeof RedirectActionSchema> {
  const path = action.path;
  return {
    responseCode: redirectCodes[action.status],
    hostRedirect: action.host ?? "",
    portRedirect: action.port ?? 0,
    ...(action.scheme === undefined
      ? {}
      : { schemeRewriteSpecifier: { case: "schemeRedirect", value: action.scheme } }),
    ...(path === undefined
      ? {}
      : {
          pathRewriteSpecifier: {
            case: path.kind === "full" ? ("pathRedirect" as const) : ("prefixRewrite" as const),
            value: path.value,
          },
        }),
  };
}

export function emitDirect(action: DirectAction): Init<typeof DirectResponseActionSchema> {
  return {
    status: action.status,
    ...(action.body.length === 0 ? {} : { body: { specifier: { case: "inlineBytes", value: action.body } } }),
  };
}
