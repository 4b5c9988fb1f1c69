import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { buildAction } from "./build-action.ts";
import { siblingsOf, type SplitContext } from "./build-split.ts";
import type { DestinationResolver } from "./destinations.ts";
import { isSubset, type GatewayWorkload } from "./gateway-workloads.ts";
import { buildRouteMatch, isCatchAll, matchAll, regexesOf } from "./route-match.ts";
import type { Route, RouteMatch, SplitId } from "./route-table.ts";
import { compileRegex } from "./route-regex.ts";
import { splitIdsOf } from "./split-id.ts";

/** The place that routes are built for: Istio decides port, gateway and source conditions for it in advance. */
export interface RoutePlace {
  readonly workload: GatewayWorkload;
  readonly port: number;
  /** `namespace/name`. */
  readonly gateway: string;
  readonly destinations: DestinationResolver;
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
  const context = splitContext(virtualService, place);
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
    for (const { index, match } of matches) {
      const routeMatch = match === undefined ? matchAll : buildRouteMatch(match);
      const invalid = firstInvalidRegex(routeMatch);
      if (invalid !== undefined) {
        report(findings, virtualService, { rule, source: match ?? source, code: "KIR1101", message: invalid });
        continue;
      }
      routes.push({
        origin: {
          virtualService: objectName(virtualService),
          rule,
          ruleName: source.name,
          match: index,
          at: match?.at ?? source.at,
        },
        name: [source.name, match?.name].filter((part) => part !== undefined && part !== "").join("."),
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

function splitIdsFor(virtualService: VirtualServiceManifest): readonly SplitId[] {
  const known = splitIds.get(virtualService);
  if (known !== undefined) {
    return known;
  }
  const ids = splitIdsOf(objectName(virtualService), virtualService.spec.http);
  splitIds.set(virtualService, ids);
  return ids;
}

function splitContext(virtualService: VirtualServiceManifest, place: RoutePlace): SplitContext {
  const base = {
    namespace: virtualService.metadata.namespace,
    listenerPort: place.port,
    destinations: place.destinations,
  };
  const named = virtualService.spec.http.flatMap(({ action }) =>
    action.kind === "route" ? action.destinations.map((entry) => entry.destination) : [],
  );
  return { ...base, siblings: siblingsOf(named, base) };
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

/** Gateways, where named, decide alone; else the source conditions are asked of the gateway workload itself. */
function appliesAt(match: HttpMatch, namespace: string, place: RoutePlace): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== place.port) {
    return false;
  }
  if (match.gateways.length > 0) {
    return match.gateways.some((gateway) => resolveGatewayName(gateway, namespace) === place.gateway);
  }
  if (!isSubset(match.sourceLabels, place.workload.labels)) {
    return false;
  }
  const source = match.sourceNamespace ?? "";
  return source === "" || source === place.workload.namespace;
}

function firstInvalidRegex(match: RouteMatch): string | undefined {
  for (const { field, pattern } of regexesOf(match)) {
    const compiled = compileRegex(pattern);
    if (compiled instanceof Error) {
      return `The pattern ${pattern} of ${field} is not RE2: ${compiled.message}.`;
    }
  }
  return undefined;
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
