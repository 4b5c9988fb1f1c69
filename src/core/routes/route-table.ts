import type { Position } from "../diagnostics/position.ts";

/**
 * The routing of every gateway listener, resolved: which request goes where, in match order. It knows neither Istio
 * nor Envoy; `simulate` evaluates it and `core/envoy` emits it, each without the other.
 */
export interface RouteTable {
  readonly listeners: readonly Listener[];
  /** Every destination that a route, a mirror or an idle arm can name. */
  readonly destinations: ReadonlyMap<DestinationId, Destination>;
  /** Hosts that somebody routes but no listener serves, so that a miss can say why. */
  readonly unserved?: readonly UnservedHost[];
}

/** A host of a VirtualService that no listener serves. */
export interface UnservedHost {
  /** `namespace/name`. */
  readonly virtualService: string;
  /** Lower case; exact name, `*.suffix` or `*`. */
  readonly host: string;
  /** Plain words, to follow "because". */
  readonly reason: string;
  readonly at: Position;
}

/** `outbound|<port>|<subset>|<host>`, the name that proxies and their statistics show. */
export type DestinationId = string;

/** One port of one gateway workload. */
export interface Listener {
  /** Unique and stable: `<workload>:<port>`. */
  readonly id: string;
  /** The labels that select the gateway workload, as `key=value,key=value` in key order. */
  readonly workload: string;
  /** The port as manifests and URLs name it; where it listens on this machine is decided outside. */
  readonly port: number;
  readonly servers: readonly ListenerServer[];
  readonly virtualHosts: readonly VirtualHost[];
}

interface ListenerServer {
  /** `namespace/name` of the gateway. */
  readonly gateway: string;
  /** The name of the server in it. */
  readonly server: string;
  readonly hosts: readonly string[];
  readonly at: Position;
}

/** Domains compete over the whole listener: exact, then longest `*.suffix`, then `*`. */
export interface VirtualHost {
  /** Lower case; exact name, `*.suffix` or `*`. Unique in the listener. */
  readonly domain: string;
  /** Every request is sent to https with 301 before any route is tried. */
  readonly requiresHttps: boolean;
  /** In match order; the first that matches takes the request. */
  readonly routes: readonly Route[];
}

export interface Route {
  /** Where it was written. */
  readonly origin: RouteOrigin;
  /** The rule's name and the match's, joined by a dot; empty where neither has one. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
}

interface RouteOrigin {
  /** `namespace/name`. */
  readonly virtualService: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly ruleName?: string | undefined;
  /** Counts from 0; undefined for a rule without conditions. */
  readonly match: number | undefined;
  readonly at: Position;
}

/** All conditions hold together. */
export interface RouteMatch {
  readonly path: PathMatch;
  /** Names in lower case, sorted; `:authority`, `:method` and `:scheme` are headers too, sorted after the others. */
  readonly headers: readonly HeaderMatch[];
  readonly query: readonly QueryMatch[];
}

export type PathMatch =
  /** A plain string prefix, without a boundary: `/foo` takes `/foobar`. */
  | { readonly kind: "prefix"; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: "exact"; readonly value: string; readonly ignoreCase: boolean }
  /** RE2 over the whole path without its query. */
  | { readonly kind: "regex"; readonly value: string };

export type ValueMatch =
  | { readonly kind: "exact" | "prefix" | "regex"; readonly value: string }
  | { readonly kind: "present" };

export interface HeaderMatch {
  readonly name: string;
  readonly value: ValueMatch;
  /** True for withoutHeaders: a missing header then counts as the empty string, except for `present`. */
  readonly invert: boolean;
}

export interface QueryMatch {
  readonly name: string;
  readonly value: ValueMatch;
}

export type RouteAction = ForwardAction | RedirectAction | DirectAction;

export interface ForwardAction {
  readonly kind: "forward";
  readonly split: Split;
  readonly pathRewrite: PathRewrite | undefined;
  readonly hostRewrite: string | undefined;
  /** 0 is no timeout. */
  readonly timeoutMs: number;
  readonly retry: Retry | undefined;
  readonly mirrors: readonly Mirror[];
  readonly requestHeaders: HeaderMutation;
  readonly responseHeaders: HeaderMutation;
}

/** The identity of a rule's split, the same for every match and listener of the rule, stable while others change. */
export type SplitId = string;

/** Shares of one rule's traffic. An arm of weight 0 is there so that traffic can move to it without a new route. */
export interface Split {
  readonly id: SplitId;
  /** Each leads to a destination of its own: weights are named by destinations. */
  readonly arms: readonly Arm[];
}

export interface Arm {
  readonly destination: DestinationId;
  /** Relative to the sum over the arms, as declared; need not add up to 100. */
  readonly weight: number;
  /** False for an idle arm that the manifest does not name: a sibling version, kept ready. */
  readonly isDeclared: boolean;
  /** The Host header for this arm alone; one of the whole route wins over it. */
  readonly hostRewrite?: string | undefined;
  readonly requestHeaders: HeaderMutation;
  readonly responseHeaders: HeaderMutation;
}

export type PathRewrite =
  /** Replaces the matched prefix, or the whole path where the match is not a prefix. */
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "full"; readonly value: string }
  | { readonly kind: "regex"; readonly pattern: string; readonly substitution: string };

export interface Retry {
  readonly attempts: number;
  /** Tokens of the condition list, without numeric status codes. */
  readonly on: readonly string[];
  readonly statusCodes: readonly number[];
  readonly perTryTimeoutMs: number | undefined;
  readonly backoffMs: number | undefined;
  readonly avoidsPreviousHosts: boolean;
}

export interface Mirror {
  readonly destination: DestinationId;
  readonly percent: number;
}

export interface HeaderMutation {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly host: string | undefined;
  readonly scheme: string | undefined;
  readonly port: number | undefined;
  readonly path: { readonly kind: "full" | "prefix"; readonly value: string } | undefined;
  /** Absent where nothing changes. */
  readonly responseHeaders?: HeaderMutation | undefined;
}

export interface DirectAction {
  readonly kind: "direct";
  readonly status: number;
  readonly body: Uint8Array;
  /** Absent where nothing changes. */
  readonly responseHeaders?: HeaderMutation | undefined;
}

/** A place that requests are sent to, with the policy for getting there. */
export interface Destination {
  readonly id: DestinationId;
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: number;
  readonly protocol: "http" | "http2";
  readonly resolution: "static" | "dns";
  readonly endpoints: readonly DestinationEndpoint[];
  readonly policy: DestinationPolicy;
}

export type DestinationEndpoint =
  | { readonly kind: "address"; readonly address: string; readonly port: number; readonly weight: number }
  /** Replicas of a local workload (`namespace/name`); addresses are known only while it runs. */
  | { readonly kind: "localWorkload"; readonly name: string };

/** Resolved: every inheritance is done. Undefined means no limit, or the proxy's default where it says so. */
export interface DestinationPolicy {
  readonly loadBalancer:
    | { readonly kind: "roundRobin" | "leastRequest" | "random" }
    | { readonly kind: "ringHash"; readonly minimumRingSize: number; readonly key: HashKey }
    | { readonly kind: "maglev"; readonly tableSize: number | undefined; readonly key: HashKey };
  readonly connectTimeoutMs: number;
  readonly maxConnections: number | undefined;
  readonly maxPendingRequests: number | undefined;
  readonly maxRequests: number | undefined;
  readonly maxRetries: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
  readonly maxConcurrentStreams: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly usesClientProtocol: boolean;
  readonly outlierDetection: OutlierPolicy | undefined;
}

export type HashKey =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string; readonly path: string; readonly ttlMs: number | undefined }
  | { readonly kind: "sourceIp" }
  | { readonly kind: "query"; readonly name: string };

export interface OutlierPolicy {
  readonly consecutive5xx: number | undefined;
  readonly consecutiveGatewayFailure: number | undefined;
  readonly consecutiveLocalOriginFailure: number | undefined;
  readonly splitsLocalOriginErrors: boolean;
  readonly intervalMs: number | undefined;
  readonly baseEjectionTimeMs: number | undefined;
  readonly maxEjectionPercent: number | undefined;
  readonly minHealthPercent: number;
}

/** Weights by destination, for one split. */
export type SplitWeights = Readonly<Record<DestinationId, number>>;

/** Weights that replace those of the manifests, split by split. */
export type WeightOverrides = ReadonlyMap<SplitId, SplitWeights>;
