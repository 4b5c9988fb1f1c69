import type { Position } from "../diagnostics/position.ts";
import type { IngressPath } from "../manifest/ingress.ts";
import {
  type IngressManifest,
  type ObjectName,
  resourceName,
  type VirtualServiceManifest,
} from "../manifest/manifest.ts";
import type { HeaderOperations, HttpRoute } from "../manifest/virtual-service.ts";
import { anyRequest } from "./any-request.ts";
import { findBackendPort, type ServicesByName } from "./ingress-backend.ts";
import { ingressGatewayName, ingressSuffix } from "./ingress-gateway.ts";
import { buildPathRule, comparePathRules, type PathRule } from "./ingress-path.ts";
import type { HostName } from "./mesh.ts";

/** One path of one Ingress, with all that its place in the list of its host depends on. */
export interface HostPath extends PathRule {
  readonly ingress: IngressManifest;
  readonly path: IngressPath;
}

/** The paths of one host, whichever Ingresses they are written in. */
export interface HostPaths {
  /** `*` for rules without one. */
  readonly host: string;
  /** Whose Gateway the host is bound to, and no other: the first that has a rule for it. */
  readonly owner: IngressManifest;
  /** Where the first rule is written. */
  readonly at: Position;
  /** In match order; those that proxies would refuse are left out. */
  readonly paths: readonly HostPath[];
}

/**
 * The paths of every host: those of all Ingresses together, longest first, of one length exact ones first, else in the
 * order in which they are given. Source: Istio `virtualservices.go`, sortHTTPRoutes.
 */
export function collectHosts(ingresses: readonly IngressManifest[]): readonly HostPaths[] {
  const rules = ingresses.flatMap((ingress) => ingress.spec.rules.map((rule) => ({ ingress, rule })));
  const written = rules.filter(({ rule }) => rule.paths !== undefined);
  return [...Map.groupBy(written, ({ rule }) => rule.host ?? "*")].flatMap(([host, entries]) => {
    const [first] = entries;
    if (first === undefined) return [];
    const paths = entries.flatMap(({ ingress, rule }) =>
      (rule.paths ?? []).flatMap((path): readonly HostPath[] => {
        const built = buildPathRule(path);
        return built === undefined ? [] : [{ ...built, ingress, path }];
      }),
    );
    return [{ host, owner: first.ingress, at: first.rule.at, paths: paths.toSorted(comparePathRules) }];
  });
}

interface RuleSurroundings {
  readonly services: ServicesByName;
  /** Names of VirtualServices that manifests have. */
  readonly taken: ReadonlySet<ObjectName>;
}

/** One VirtualService for each host, bound to the Gateway of the first Ingress that has a rule for it. */
export function buildIngressRules(
  ingresses: readonly IngressManifest[],
  { services, taken }: RuleSurroundings,
): readonly VirtualServiceManifest[] {
  const names = new Set(taken);
  return collectHosts(ingresses).map((paths) => {
    const { owner, host, at } = paths;
    const { namespace } = owner.metadata;
    const name = freeName(`${host.replaceAll(".", "-")}-${owner.metadata.name}-${ingressSuffix}`, { namespace, names });
    return {
      kind: "VirtualService",
      apiVersion: owner.apiVersion,
      metadata: { name, namespace, labels: {}, annotations: {}, creationTimestamp: undefined },
      spec: {
        hosts: [host],
        gateways: [ingressGatewayName(owner)],
        http: paths.paths.flatMap((path) => buildRule(path, services) ?? []),
        tls: [],
        tcp: [],
        exportTo: [],
      },
      at,
      madeFrom: resourceName(owner),
    };
  });
}

/** `a.b` and `a-b` give one name. */
function freeName(
  wanted: string,
  { namespace, names }: { readonly namespace: string; readonly names: Set<ObjectName> },
): string {
  let name = wanted;
  for (let repeat = 2; names.has(`${namespace}/${name}`); repeat += 1) name = `${wanted}-${repeat}`;
  names.add(`${namespace}/${name}`);
  return name;
}

/** Undefined where requests can be sent nowhere: Istio leaves the path out, and the next that matches takes them. */
function buildRule({ ingress, path, uri }: HostPath, services: ServicesByName): HttpRoute | undefined {
  const { backend, at } = path;
  const { namespace } = ingress.metadata;
  const port = backend.kind === "service" ? findBackendPort(backend, { namespace, services }) : undefined;
  if (backend.kind !== "service" || port === undefined) return undefined;
  const host = ingressHost(backend.service, namespace);
  const destination = { host, subset: undefined, port, at: backend.at };
  return {
    name: undefined,
    match: uri === undefined ? [] : [{ ...anyRequest(at), uri }],
    action: { kind: "route", destinations: [{ destination, weight: 100, headers: unchanged }] },
    timeoutMs: undefined,
    retries: undefined,
    rewrite: undefined,
    mirrors: [],
    headers: unchanged,
    fault: undefined,
    cors: undefined,
    at,
    madeFrom: resourceName(ingress),
  };
}

/** The host that a backend stands for: always a Service of the Ingress's own namespace. */
export function ingressHost(service: string, namespace: string): HostName {
  return `${service}.${namespace}.svc.cluster.local`;
}

const unchanged: HeaderOperations = {
  request: { set: {}, add: {}, remove: [] },
  response: { set: {}, add: {}, remove: [] },
};
