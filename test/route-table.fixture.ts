import { gatewayTable } from "./gateway-table.fixture.ts";
import type { Arm, Destination, QueryMatch, Route, RouteMatch, RouteTable } from "../src/core/routes/route-table.ts";

/** A rule in short: `{ arms: { "nginx/blue": 100, "nginx/green": 0 }, header: "x-version: green" }`. */
export interface RuleSketch {
  readonly name?: string;
  /** `host/subset` or `host`, optionally with `:port` after the host, to its declared weight. */
  readonly arms?: Readonly<Record<string, number>>;
  /** Arms that the manifest does not name, kept ready. */
  readonly idle?: readonly string[];
  /** `name: value`, or `name` alone where presence is enough. */
  readonly header?: string;
  readonly query?: string;
  readonly path?: string;
}

export interface ServiceSketch {
  /** `namespace/name`. */
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly rules: readonly RuleSketch[];
}

/** Builds the table that manifests of this shape lead to. Destinations in `empty` have no endpoints. */
export function sketchTable(services: readonly ServiceSketch[], empty: readonly string[] = []): RouteTable {
  const destinations = new Map<string, Destination>();
  const virtualHosts = services.map((service) => {
    const namespace = service.name.split("/")[0] ?? "";
    const routes = service.rules.map((rule, index) => sketchRoute(service.name, { rule, index }));
    for (const { arms = {}, idle = [] } of service.rules) {
      for (const arm of [...Object.keys(arms), ...idle]) {
        const destination = sketchDestination(arm, { namespace, isEmpty: empty.includes(arm) });
        destinations.set(destination.id, destination);
      }
    }
    return { hosts: service.hosts ?? [`${service.name.split("/")[1]}.example.com`], routes };
  });
  return gatewayTable({
    virtualHosts: virtualHosts.flatMap(({ hosts, routes }) =>
      hosts.map((domain) => ({ domain, requiresHttps: false, routes })),
    ),
    destinations,
  });
}

/** `outbound|80|green|nginx.ns.svc.cluster.local` for `nginx/green` in `ns`. */
export function destinationId(arm: string, namespace: string): string {
  const [hostAndPort = "", subset = ""] = arm.split("/");
  const [host = "", port = "80"] = hostAndPort.split(":");
  const qualified = host.includes(".") ? host : `${host}.${namespace}.svc.cluster.local`;
  return `outbound|${port}|${subset}|${qualified}`;
}

/** Weights by destination, from `{ "nginx/blue": 100 }`. */
export function sketchWeights(
  weights: Readonly<Record<string, number>>,
  namespace: string,
): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(weights).map(([arm, weight]) => [destinationId(arm, namespace), weight]));
}

function sketchRoute(
  virtualService: string,
  { rule, index }: { readonly rule: RuleSketch; readonly index: number },
): Route {
  const namespace = virtualService.split("/")[0] ?? "";
  const at = { file: "mesh.yaml", line: index + 1, column: 1 };
  const origin = { virtualService, rule: index, ruleName: rule.name, match: 0, at };
  const base = { origin, name: rule.name ?? "", match: sketchMatch(rule) };
  if (rule.arms === undefined) {
    return { ...base, action: { kind: "direct", status: 200, body: new Uint8Array() } };
  }
  const arms = [
    ...Object.entries(rule.arms).map(([arm, weight]) => sketchArm(arm, { namespace, weight, isDeclared: true })),
    ...(rule.idle ?? []).map((arm) => sketchArm(arm, { namespace, weight: 0, isDeclared: false })),
  ];
  return {
    ...base,
    action: {
      kind: "forward",
      split: { id: `${virtualService}/${rule.name ?? `rule-${index}`}`, arms },
      pathRewrite: undefined,
      hostRewrite: undefined,
      timeoutMs: 0,
      retry: undefined,
      mirrors: [],
      requestHeaders: { set: [], add: [], remove: [] },
      responseHeaders: { set: [], add: [], remove: [] },
    },
  };
}

function sketchArm(
  arm: string,
  { namespace, weight, isDeclared }: { namespace: string; weight: number; isDeclared: boolean },
): Arm {
  return {
    destination: destinationId(arm, namespace),
    weight,
    isDeclared,
    requestHeaders: { set: [], add: [], remove: [] },
    responseHeaders: { set: [], add: [], remove: [] },
  };
}

function sketchCondition(text: string): QueryMatch {
  const [name = "", value] = text.split(/: |=/);
  return value === undefined ? { name, value: { kind: "present" } } : { name, value: { kind: "exact", value } };
}

function sketchMatch({ header, query, path = "/" }: RuleSketch): RouteMatch {
  return {
    path: { kind: "prefix", value: path, ignoreCase: false },
    headers: header === undefined ? [] : [{ ...sketchCondition(header), invert: false }],
    query: query === undefined ? [] : [sketchCondition(query)],
  };
}

function sketchDestination(
  arm: string,
  { namespace, isEmpty }: { readonly namespace: string; readonly isEmpty: boolean },
): Destination {
  const id = destinationId(arm, namespace);
  const [, port = "80", subset = "", host = ""] = id.split("|");
  return {
    id,
    host,
    subset: subset === "" ? undefined : subset,
    port: Number(port),
    protocol: "http",
    resolution: "static",
    endpoints: isEmpty ? [] : [{ kind: "address", address: "127.0.0.1", port: 8081, weight: 1 }],
    policy: {
      loadBalancer: { kind: "leastRequest" },
      connectTimeoutMs: 10_000,
      maxConnections: undefined,
      maxPendingRequests: undefined,
      maxRequests: undefined,
      maxRetries: undefined,
      maxRequestsPerConnection: undefined,
      maxConcurrentStreams: undefined,
      maxConnectionDurationMs: undefined,
      idleTimeoutMs: undefined,
      usesClientProtocol: false,
      outlierDetection: undefined,
    },
  };
}
