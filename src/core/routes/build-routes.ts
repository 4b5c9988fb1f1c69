import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpCors, HttpFault, HttpMatch, HttpRetry, HttpRoute } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { buildAction, type ActionContext } from "./build-action.ts";
import { siblingsOf } from "./build-split.ts";
import type { DestinationResolver } from "./destinations.ts";
import { isSubset } from "./gateway-workloads.ts";
import type { RouteClient } from "./route-client.ts";
import { buildRouteMatch, isCatchAll, matchAll, regexesOf } from "./route-match.ts";
import type { CorsPolicy, Fault, Route, RouteMatch, RouteOrigin, SplitId } from "./route-table.ts";
import { compileRegex } from "../manifest/regex.ts";
import { splitIdsOf } from "./split-id.ts";

/** The place that routes are built for: Istio decides port, gateway and source conditions for it in advance. */
export interface RoutePlace {
  /** Whose proxy it is. */
  readonly client: RouteClient;
  /** Of a gateway the number that the server declares, of a sidecar the service's port. */
  readonly port: number;
  /** `namespace/name` of a Gateway, or `mesh`. */
  readonly gateway: string;
  readonly destinations: DestinationResolver;
  /** True behind a TLS server, where redirects stay on https. */
  readonly isTls?: boolean | undefined;
  /** What the mesh retries where a rule says nothing; undefined is Istio's own default. */
  readonly defaultRetries?: HttpRetry | undefined;
}

/** Findings by key, so that a rule that is built for several listeners is reported once. */
export type Findings = Map<string, Diagnostic>;

const splitIds = new WeakMap<VirtualServiceManifest, readonly SplitId[]>();

/**
 * The routes of one VirtualService on one listener, in order, cut after its first catch-all. Empty when no rule
 * applies there; the host then belongs to nobody. Source: Istio `route.go`, BuildHTTPRoutesForVirtualService.
 */
export function buildRoutes(
  virtualService: VirtualServiceManifest,
  place: RoutePlace,
  findings: Findings,
): readonly Route[] {
  const { http } = virtualService.spec;
  const ids = splitIdsFor(virtualService);
  const context = actionContext(virtualService, place);
  const routes: Route[] = [];
  for (const [rule, source] of http.entries()) {
    const matches = applicableMatches(source, virtualService, place);
    if (matches.length === 0) {
      continue;
    }
    const built = buildAction(source, ids[rule] ?? "", context);
    if (built.kind === "refused") {
      report(findings, virtualService, { rule, source, code: built.code, message: built.message });
      continue;
    }
    for (const applicable of matches) {
      const { match } = applicable;
      const routeMatch = match === undefined ? matchAll : buildRouteMatch(match);
      // Where the condition is written it was refused already (KIR1006).
      if (asksForClaim(routeMatch)) continue;
      const invalid = complainMatch(routeMatch);
      if (invalid !== undefined) {
        report(findings, virtualService, { rule, source: match ?? source, ...invalid });
        continue;
      }
      routes.push({
        ...describeRule(source, match),
        origin: describeOrigin(virtualService, { rule, source, ...applicable }),
        match: routeMatch,
        action: built.action,
      });
      if (isCatchAll(routeMatch)) {
        return routes;
      }
    }
  }
  return routes;
}

function describeOrigin(
  virtualService: VirtualServiceManifest,
  { rule, source, index, match }: ApplicableMatch & { readonly rule: number; readonly source: HttpRoute },
): RouteOrigin {
  return {
    virtualService: objectName(virtualService),
    rule,
    ruleName: source.name,
    match: index,
    at: match?.at ?? source.at,
    ...(source.madeFrom === undefined ? {} : { madeFrom: source.madeFrom }),
    ...(source.delegate === undefined ? {} : { delegate: source.delegate }),
  };
}

/** What a rule says beside its conditions and its action. */
function describeRule(
  source: HttpRoute,
  match: HttpMatch | undefined,
): Pick<Route, "name" | "fault" | "cors" | "statPrefix"> {
  const fault = source.fault === undefined ? undefined : buildFault(source.fault);
  const statPrefix = match?.statPrefix;
  return {
    name: [source.name, match?.name].filter((part) => part !== undefined && part !== "").join("."),
    ...(fault === undefined ? {} : { fault }),
    ...(source.cors === undefined ? {} : { cors: buildCors(source.cors) }),
    ...(statPrefix === undefined || statPrefix === "" ? {} : { statPrefix }),
  };
}

/** A percentage of 0 is none at all. */
function buildFault({ delay, abort }: HttpFault): Fault | undefined {
  const delays = delay !== undefined && delay.percent > 0 ? delay : undefined;
  const aborts = abort !== undefined && abort.percent > 0 ? abort : undefined;
  return delays === undefined && aborts === undefined ? undefined : { delay: delays, abort: aborts };
}

function buildCors({ unmatchedPreflights, ...cors }: HttpCors): CorsPolicy {
  return { ...cors, forwardsUnmatchedPreflights: unmatchedPreflights === "FORWARD" };
}

function splitIdsFor(virtualService: VirtualServiceManifest): readonly SplitId[] {
  const known = splitIds.get(virtualService);
  if (known !== undefined) {
    return known;
  }
  const ids = splitIdsOf(objectName(virtualService), virtualService.spec.http);
  splitIds.set(virtualService, ids);
  return ids;
}

function actionContext(virtualService: VirtualServiceManifest, place: RoutePlace): ActionContext {
  const base = {
    namespace: virtualService.metadata.namespace,
    listenerPort: place.port,
    destinations: place.destinations,
    isTls: place.isTls ?? false,
    defaultRetries: place.defaultRetries,
  };
  const named = virtualService.spec.http.flatMap(({ action }) =>
    action.kind === "route" ? action.destinations.map((entry) => entry.destination) : [],
  );
  // Nothing can be moved where there are no weights to write down.
  return { ...base, siblings: virtualService.madeFrom === undefined ? siblingsOf(named, base) : [] };
}

interface ApplicableMatch {
  /** Undefined, with `match`, for a rule without conditions. */
  readonly index: number | undefined;
  readonly match: HttpMatch | undefined;
}

function applicableMatches(
  rule: HttpRoute,
  virtualService: VirtualServiceManifest,
  place: RoutePlace,
): readonly ApplicableMatch[] {
  if (rule.match.length === 0) {
    return [{ index: undefined, match: undefined }];
  }
  return rule.match
    .map((match, index) => ({ index, match }))
    .filter(({ match }) => appliesAt(match, virtualService.metadata.namespace, place));
}

/** Gateways, where named, decide alone; else the source conditions are asked of the proxy's own workload. */
function appliesAt(match: HttpMatch, namespace: string, place: RoutePlace): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== place.port) {
    return false;
  }
  if (match.gateways.length > 0) {
    return match.gateways.some((gateway) => (resolveGatewayName(gateway, namespace) ?? "mesh") === place.gateway);
  }
  if (!isSubset(match.sourceLabels, place.client.labels)) {
    return false;
  }
  const source = match.sourceNamespace ?? "";
  return source === "" || source === place.client.namespace;
}

function complainMatch(match: RouteMatch): Pick<Finding, "code" | "message"> | undefined {
  for (const { field, pattern } of regexesOf(match)) {
    const compiled = compileRegex(pattern);
    if (compiled instanceof Error) {
      return { code: "KIR1101", message: `The pattern ${pattern} of ${field} is not RE2: ${compiled.message}.` };
    }
  }
  return undefined;
}

/** Whether a condition looks at a claim of a token. Nothing here checks tokens, so that it would be read wrongly. */
function asksForClaim({ headers }: RouteMatch): boolean {
  return headers.some(({ name }) => name.startsWith("@"));
}

interface Finding {
  readonly rule: number;
  readonly source: Pick<HttpRoute, "at">;
  readonly code: Diagnostic["code"];
  readonly message: string;
}

function report(findings: Findings, virtualService: VirtualServiceManifest, finding: Finding): void {
  const { source, code, message, rule } = finding;
  const resource = resourceName(virtualService);
  const key = `${code} ${resource} ${source.at.line}:${source.at.column} ${message}`;
  if (!findings.has(key)) {
    findings.set(key, diagnostic(code, { message: `Rule ${rule}: ${message}`, resource, at: source.at }));
  }
}
