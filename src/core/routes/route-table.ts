import type { DestinationPolicy } from "./route-table-policy.ts";
import type { TlsTermination, SecretId, Secret } from "./route-table-tls.ts";
import type { Position } from "../diagnostics/position.ts";

/**
 * The routing of every proxy, resolved: which connection and which request goes where, in match order. It knows neither
 * Istio nor Envoy; `simulate` evaluates it and `core/envoy` emits it, each without the other.
 */
export interface RouteTable {
  /** Gateway workloads, and workloads with a sidecar, by id. */
  readonly proxies: ReadonlyMap<ProxyId, Proxy>;
  readonly listeners: readonly Listener[];
  /** What HTTP filter chains share: virtual hosts and their routes. */
  readonly httpRoutings: readonly HttpRouting[];
  /** Every destination that a route, a mirror or an idle arm can name. */
  readonly destinations: ReadonlyMap<DestinationId, Destination>;
  /** Certificates and keys that filter chains and destinations name. */
  readonly secrets: ReadonlyMap<SecretId, Secret>;
  /** Hosts that somebody routes but no listener serves, so that a miss can say why. */
  readonly unserved?: readonly UnservedHost[];
}

/** Of a gateway the labels that select it, as `key=value,key=value` in key order; of a sidecar `namespace/workload`. */
export type ProxyId = string;

/** Who a proxy stands in front of; rules with `exportTo`, `sourceLabels` or `sourceNamespace` depend on it. */
export interface Proxy {
  readonly id: ProxyId;
  readonly kind: "gateway" | "sidecar";
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
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
  /** `Kind namespace/name` of the object that says this, where that is no VirtualService. */
  readonly madeFrom?: string | undefined;
}

/**
 * `inbound|<port>||<workload>#<replica>` for what a workload's own proxy sends it; for all others
 * `outbound|<port>|<subset>|<host>`, the name that proxies and their statistics show, with `@<namespace>` after it where
 * callers of that namespace have another policy or other subsets than those that the plain name stands for.
 */
export type DestinationId = string;

/** One port of one proxy, on one address. */
export interface Listener {
  /** Unique and stable: `<proxy>:<port>`, and more where a proxy has several on one port. */
  readonly id: string;
  readonly proxy: ProxyId;
  readonly role: ListenerRole;
  /** The port as manifests and URLs name it; where it listens on this machine is decided outside. */
  readonly port: number;
  /** The address that the manifest binds to; undefined is every address. */
  readonly bind: string | undefined;
  /** Chosen by the name that a TLS client asks for; one without names takes what no other takes. */
  readonly filterChains: readonly FilterChain[];
}

export type ListenerRole =
  /** Requests from outside that reach a gateway workload. */
  | { readonly kind: "gateway" }
  /** What a workload with a sidecar sends to any HTTP service's port. */
  | { readonly kind: "outboundHttp" }
  /** What a workload with a sidecar sends to one port of one service. */
  | { readonly kind: "outboundService"; readonly host: string }
  /** What reaches one replica of a workload with a sidecar, from within this proxy alone; it has no address outside. */
  | { readonly kind: "inbound"; readonly replica: number };

export interface FilterChain {
  /** Unique in the table and stable; a listener with one chain has its own id here. */
  readonly id: string;
  readonly servers: readonly ListenerServer[];
  /** Lower case; exact, `*.suffix`; empty for a chain that takes every other connection. */
  readonly serverNames: readonly string[];
  /** Undefined leaves the bytes as they are: plain text, or TLS passed through. */
  readonly tls: TlsTermination | undefined;
  readonly serves: ChainService;
}

export type ChainService =
  /** The id of one of the table's `httpRoutings`. */
  | { readonly kind: "http"; readonly routing: string }
  | { readonly kind: "tcp"; readonly route: TcpRoute }
  | { readonly kind: "inboundHttp"; readonly route: InboundRoute };

/** The one route of requests that reach a workload: no rule that somebody wrote is asked, and no time limit is set. */
export interface InboundRoute {
  readonly destination: DestinationId;
  /** The port of the service, which callers know. */
  readonly servicePort: number;
  /** Undefined for gRPC, whose streams are not repeated. */
  readonly retry: Retry | undefined;
}

/** The virtual hosts of one HTTP filter chain. */
export interface HttpRouting {
  /** Equal to the id of the filter chain, or of the first of those that share it. */
  readonly id: string;
  /**
   * True where one listener serves all ports: domains and aliases then carry the port that a request names
   * (`host:8080`), and port 80 has both forms. Otherwise the port that a request names does not count.
   */
  readonly matchesPorts?: true | undefined;
  readonly virtualHosts: readonly VirtualHost[];
}

/** Where connections of a chain go; a share is drawn for each connection. */
export interface TcpRoute {
  readonly origin: RouteOrigin;
  readonly split: Split;
}

export interface ListenerServer {
  /** `namespace/name` of the gateway. */
  readonly gateway: string;
  /** The name of the server in it. */
  readonly server: string;
  readonly hosts: readonly string[];
  readonly at: Position;
}

/** Domains compete over the whole routing: exact, then longest `*.suffix`, then `*`. */
export interface VirtualHost {
  /** Lower case; exact name, `*.suffix` or `*`. Unique in the routing, as each alias is. */
  readonly domain: string;
  /** Other names of the same host, such as the short names of a service. */
  readonly aliases?: readonly string[] | undefined;
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
  readonly fault?: Fault | undefined;
  readonly cors?: CorsPolicy | undefined;
  /** The name under which a proxy counts this route's requests, where the manifest gives one. */
  readonly statPrefix?: string | undefined;
}

/** Failures that are made on purpose; the delay comes first. */
export interface Fault {
  readonly delay: { readonly delayMs: number; readonly percent: number } | undefined;
  readonly abort:
    | { readonly kind: "http"; readonly status: number; readonly percent: number }
    | { readonly kind: "grpc"; readonly status: number; readonly percent: number }
    | undefined;
}

/** Undefined leaves the header out of the answer. */
export interface CorsPolicy {
  readonly allowOrigins: readonly Exclude<ValueMatch, { kind: "present" }>[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly allowCredentials: boolean | undefined;
  /** Whether a preflight of an origin that is not allowed goes on to the destination. */
  readonly forwardsUnmatchedPreflights: boolean;
}

export interface RouteOrigin {
  /** `namespace/name`; empty for what callers inside the mesh meet where nobody wrote a rule. */
  readonly virtualService: string;
  /** Counts from 0. */
  readonly rule: number;
  readonly ruleName?: string | undefined;
  /** Counts from 0; undefined for a rule without conditions. */
  readonly match: number | undefined;
  readonly at: Position;
  /** `Kind namespace/name` of the object that says this, where that is no VirtualService. */
  readonly madeFrom?: string | undefined;
  /** `namespace/name` of the object whose rule stands in the place of one of the VirtualService's own. */
  readonly delegate?: string | undefined;
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
  /** The path itself and what follows it after a slash: `/foo` takes `/foo/bar` and not `/foobar`. No slash at the end. */
  | { readonly kind: "pathPrefix"; readonly value: string }
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
  /** Absent draws an arm for each request by itself. */
  readonly chosenBy?: ArmChoice | undefined;
}

/** What keeps a visitor on one arm for as long as the weights let it; arms still get their shares of all visitors. */
export type ArmChoice =
  /** The value of a cookie that the request has. */
  | { readonly kind: "cookie"; readonly name: string }
  /** The id of the request, which the visitor is given as that cookie. */
  | { readonly kind: "newCookie"; readonly name: string; readonly maxAgeMs: number };

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
  /** Whether a retry may go to endpoints of lower priority. */
  readonly avoidsPreviousPriorities?: boolean | undefined;
}

export interface Mirror {
  readonly destination: DestinationId;
  readonly percent: number;
  /** Headers that the copies have and the requests do not, by which an app tells them apart. */
  readonly marks?: readonly (readonly [name: string, value: string])[] | undefined;
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
  /** `tcp` carries connections, not requests. */
  readonly protocol: "http" | "http2" | "tcp";
  readonly resolution: DestinationResolution;
  readonly endpoints: readonly DestinationEndpoint[];
  readonly policy: DestinationPolicy;
}

export type DestinationResolution =
  /** Addresses that are told to the proxy. */
  | "static"
  /** Names that the proxy looks up; every address it finds takes part. */
  | "dns"
  /** One name that the proxy looks up; the first address it finds takes all. */
  | "logicalDns"
  /** The host that the request itself names, looked up by the proxy. */
  | "requestHost";

export type DestinationEndpoint = (
  | { readonly kind: "address"; readonly address: string; readonly port: number; readonly weight: number }
  /** Replicas of a local workload (`namespace/name`); addresses are known only while it runs. */
  | {
      readonly kind: "localWorkload";
      readonly name: string;
      /** This one alone, counted from 0; all of them where it is absent. */
      readonly replica?: number | undefined;
      /** The port of the workload whose inbound listeners are in the way; absent where its replicas are dialled. */
      readonly inboundPort?: number | undefined;
    }
) & {
  readonly locality?: Locality | undefined;
  /** 0 is tried first; a higher number takes over as those below it fail. */
  readonly priority?: number | undefined;
  /** The share of its locality, where shares are given by locality. */
  readonly localityWeight?: number | undefined;
};

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** Weights by destination, for one split. */
export type SplitWeights = Readonly<Record<DestinationId, number>>;

/** Weights that replace those of the manifests, split by split. */
export type WeightOverrides = ReadonlyMap<SplitId, SplitWeights>;
