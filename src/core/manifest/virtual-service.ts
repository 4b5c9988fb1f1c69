import type { Position } from "../diagnostics/position.ts";

/** `networking.istio.io` VirtualService, the `http` part. Field meanings are Istio's. */
export interface VirtualServiceSpec {
  readonly hosts: readonly string[];
  /** As written; empty means `mesh`. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
  readonly exportTo: readonly string[];
}

/** `{}` and the regex `*` both mean that the header only has to be present. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  | { readonly kind: "present" };

/** Conditions of one entry are AND-ed; the entries of a rule are OR-ed. */
export interface HttpMatch {
  readonly name: string | undefined;
  readonly uri: Exclude<StringMatch, { kind: "present" }> | undefined;
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
  readonly headers: HeaderOperations;
  readonly at: Position;
}

export type HttpAction =
  | { readonly kind: "route"; readonly destinations: readonly HttpRouteDestination[] }
  | ({ readonly kind: "redirect" } & HttpRedirect)
  | { readonly kind: "directResponse"; readonly status: number; readonly body: Uint8Array };

export interface Destination {
  readonly host: string;
  readonly subset: string | undefined;
  readonly port: number | undefined;
  readonly at: Position;
}

export interface HttpRouteDestination {
  readonly destination: Destination;
  readonly weight: number | undefined;
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
