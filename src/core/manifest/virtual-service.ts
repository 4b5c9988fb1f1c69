import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` VirtualService. Field meanings are Istio's. */
export interface VirtualServiceSpec {
  /** Empty makes it a delegate: its `http` rules count only where another VirtualService names it. */
  readonly hosts: readonly string[];
  /** As written; empty means `mesh`. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
  /** For TLS that is passed through, by the name asked for (SNI). */
  readonly tls: readonly TlsRoute[];
  readonly tcp: readonly TcpRoute[];
  /** Empty means what the mesh says: everywhere, unless it was changed. */
  readonly exportTo: readonly string[];
  /** Where `hosts` and `gateways` are written; the object's spec where they are not. */
  readonly hostsAt?: Position;
  readonly gatewaysAt?: Position;
}

export interface TlsRoute {
  /** Never empty. */
  readonly match: readonly TlsMatch[];
  readonly destinations: readonly RouteDestination[];
  readonly at: Position;
}

export interface TcpRoute {
  /** Empty: the rule takes every connection. */
  readonly match: readonly ConnectionMatch[];
  readonly destinations: readonly RouteDestination[];
  readonly at: Position;
}

/** Conditions of one entry are AND-ed; the entries of a rule are OR-ed. */
export interface ConnectionMatch {
  /** IP addresses or CIDR ranges. */
  readonly destinationSubnets: readonly string[];
  readonly port: number | undefined;
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string | undefined;
  readonly gateways: readonly string[];
  readonly at: Position;
}

export interface TlsMatch extends ConnectionMatch {
  /** Never empty; each within a host of the VirtualService. */
  readonly sniHosts: readonly string[];
}

export interface RouteDestination {
  readonly destination: Destination;
  readonly weight: number | undefined;
}

/** `{}` and the regex `*` both mean that the header only has to be present. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  | { readonly kind: "present" };

/** `pathPrefix` takes the path and what follows it after a slash; only an Ingress says so, and not with a slash at the end. */
export type UriMatch =
  | Exclude<StringMatch, { kind: "present" }>
  | { readonly kind: "pathPrefix"; readonly value: string };

/** Conditions of one entry are AND-ed; the entries of a rule are OR-ed. */
export interface HttpMatch {
  readonly name: string | undefined;
  readonly uri: UriMatch | undefined;
  readonly ignoreUriCase: boolean;
  readonly scheme: StringMatch | undefined;
  readonly method: StringMatch | undefined;
  readonly authority: StringMatch | undefined;
  /** Keys as written; compare without regard to case. */
  readonly headers: Readonly<Record<string, StringMatch>>;
  readonly withoutHeaders: Readonly<Record<string, StringMatch>>;
  readonly queryParams: Readonly<Record<string, StringMatch>>;
  readonly port: number | undefined;
  readonly gateways: readonly string[];
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string | undefined;
  /** The name under which a proxy counts this match's requests. */
  readonly statPrefix: string | undefined;
  readonly at: Position;
}

export interface HttpRoute {
  readonly name: string | undefined;
  /** Empty: the rule takes every request. */
  readonly match: readonly HttpMatch[];
  readonly action: HttpAction;
  readonly timeoutMs: number | undefined;
  readonly retries: HttpRetry | undefined;
  readonly rewrite: HttpRewrite | undefined;
  readonly mirrors: readonly HttpMirror[];
  /** What `mirrors` is made of, where a manifest says it: a delegate inherits each of these by itself. */
  readonly mirrorFields?: MirrorFields;
  readonly headers: HeaderOperations;
  /** `namespace/name` of the delegate that it was taken over from. */
  readonly delegate?: string;
  readonly fault: HttpFault | undefined;
  readonly cors: HttpCors | undefined;
  readonly at: Position;
  /** `Kind namespace/name` of the object that says this, where that is no VirtualService. */
  readonly madeFrom?: string;
}

/** `mirror` with its percentage, and `mirrors`. */
export interface MirrorFields {
  readonly mirror: Destination | undefined;
  readonly percent: number | undefined;
  readonly mirrors: readonly HttpMirror[];
}

export type HttpAction =
  | { readonly kind: "route"; readonly destinations: readonly HttpRouteDestination[] }
  | ({ readonly kind: "redirect" } & HttpRedirect)
  | { readonly kind: "directResponse"; readonly status: number; readonly body: Uint8Array }
  /** The rules of another VirtualService, one without hosts, stand here. */
  | ({ readonly kind: "delegate" } & HttpDelegate);

export interface HttpDelegate {
  readonly name: string;
  /** Undefined is the namespace of the VirtualService that delegates. */
  readonly namespace: string | undefined;
  readonly at: Position;
}

/** Failures that are made on purpose; the delay comes first. A percentage that is not given is 0: never. */
export interface HttpFault {
  readonly delay: { readonly delayMs: number; readonly percent: number } | undefined;
  readonly abort: HttpAbort | undefined;
}

export type HttpAbort =
  | { readonly kind: "http"; readonly status: number; readonly percent: number }
  /** `status` is gRPC's number, 0 to 16, whatever form the manifest gives it in. */
  | { readonly kind: "grpc"; readonly status: number; readonly percent: number };

export interface HttpCors {
  readonly allowOrigins: readonly Exclude<StringMatch, { kind: "present" }>[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  /** Whole seconds. */
  readonly maxAgeSeconds: number | undefined;
  readonly allowCredentials: boolean | undefined;
  /** Whether a preflight of an origin that is not allowed goes on to the destination; `FORWARD` by default. */
  readonly unmatchedPreflights: "FORWARD" | "IGNORE";
}

export interface Destination {
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: number | undefined;
  readonly at: Position;
}

export interface HttpRouteDestination extends RouteDestination {
  readonly headers: HeaderOperations;
}

export interface HttpRedirect {
  readonly uri: string | undefined;
  /** Present when the redirect replaces only the matched prefix. */
  readonly prefixRewrite: string | undefined;
  readonly authority: string | undefined;
  readonly scheme: string | undefined;
  readonly port: number | "fromProtocolDefault" | "fromRequestPort" | undefined;
  /** 301 when the manifest names none. */
  readonly status: number;
}

export interface HttpRewrite {
  readonly uri: string | undefined;
  readonly authority: string | undefined;
  readonly uriRegex: { readonly match: string; readonly rewrite: string } | undefined;
}

export interface HttpRetry {
  readonly attempts: number;
  readonly perTryTimeoutMs: number | undefined;
  /** Comma-separated tokens as written; undefined takes Istio's default list. */
  readonly retryOn: string | undefined;
  readonly retryRemoteLocalities: boolean;
  readonly backoffMs: number | undefined;
  readonly retryIgnorePreviousHosts: boolean | undefined;
}

export interface HttpMirror {
  readonly destination: Destination;
  /** 0 to 100; 100 when the manifest names none. */
  readonly percent: number;
}

export interface HeaderOperations {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}

export interface HeaderChanges {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}
