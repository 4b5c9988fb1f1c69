import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { type ObjectName, objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { isHttpProtocol } from "../manifest/names.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { conditionsOf, ruleName } from "./check-rule-order.ts";
import { CoverageIndex } from "./coverage-index.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { type GatewayPods, selectorKey } from "./gateway-pods.ts";
import { resolveHost, rootNamespace } from "./host-name.ts";
import { isCatchAll } from "./match-coverage.ts";
import type { Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

/** What stands before a rule in the list of one gateway host; catch-alls go to the end of it, so they are kept apart. */
interface HostRules {
  readonly rules: CoverageIndex;
  readonly catchAlls: CoverageIndex;
  /** Which VirtualService a match came from, and what it is written in. */
  readonly owners: Map<HttpMatch, Owner>;
  readonly services: Set<VirtualServiceManifest>;
}

/** A VirtualService in its place at one of its Gateways. */
interface BoundService {
  readonly service: VirtualServiceManifest;
  readonly gateway: ObjectName;
}

interface Owner extends BoundService {
  readonly resource: string;
}

/** A place where rules of several VirtualServices become one list. */
interface RuleList {
  /** The same for Gateways whose plain HTTP servers share a port. */
  readonly key: string;
  /** Where the gateway's pods live. */
  readonly namespace: string;
}

/**
 * Rules that another VirtualService shadows. On a gateway the rules for one host form one list over all
 * VirtualServices: those kept to the gateway's namespace first, then those exported to it by name, then the public
 * ones; the oldest object first within each, and every catch-all at the end.
 * Source: Istio `pilot/pkg/model/push_context.go`, VirtualServicesForGateway; `route.go`, SortVHostRoutes.
 */
export function checkShadowing(mesh: Mesh, pods: GatewayPods): readonly Diagnostic[] {
  const lists = collectLists(mesh, pods);
  const hosts = new Map<string, HostRules>();
  const shadowed = new Map<HttpRoute, Diagnostic>();
  const namespaces = new Set([...lists.values()].flat().map(({ namespace }) => namespace));
  for (const namespace of namespaces) {
    for (const { service, gateway } of orderFor(mesh, namespace)) {
      for (const key of hostKeys(service, namespace, lists.get(gateway) ?? [])) {
        const earlier = hosts.get(key) ?? emptyRules();
        hosts.set(key, earlier);
        // By a second Gateway on the port its rules come a second time, and that changes nothing.
        if (earlier.services.has(service)) continue;
        earlier.services.add(service);
        for (const [index, rule] of service.spec.http.entries()) {
          const found = findShadow({ service, gateway }, rule, earlier);
          if (found !== undefined && !shadowed.has(rule)) {
            shadowed.set(rule, reportShadow({ service, gateway, rule, index }, found, namespace));
          }
        }
      }
    }
  }
  return mesh.virtualServices.flatMap(({ spec }) => spec.http.flatMap((rule) => shadowed.get(rule) ?? []));
}

function emptyRules(): HostRules {
  return { rules: new CoverageIndex(), catchAlls: new CoverageIndex(), owners: new Map(), services: new Set() };
}

/** Plain HTTP servers of one workload and port share their rules; a TLS server has a list of its own. */
function collectLists(mesh: Mesh, pods: GatewayPods): ReadonlyMap<ObjectName, readonly RuleList[]> {
  return new Map(
    mesh.gateways.map((gateway) => {
      const [namespace = rootNamespace] = pods.namespacesOf(gateway);
      const keys = gateway.spec.servers
        .filter(({ port, tls }) => isHttpProtocol(port.protocol) || (tls !== undefined && tls.mode !== "PASSTHROUGH"))
        .map(({ port, bind, tls, name }) =>
          tls === undefined
            ? JSON.stringify([selectorKey(gateway.spec.selector), port.number, bind])
            : JSON.stringify([objectName(gateway), port.number, name]),
        );
      return [objectName(gateway), [...new Set(keys)].map((key) => ({ key, namespace }))] as const;
    }),
  );
}

/** The VirtualServices that a gateway in a namespace sees, in the order in which it merges them: Gateway by Gateway. */
function orderFor({ virtualServices, gateways }: Mesh, namespace: string): readonly BoundService[] {
  const byTier = Map.groupBy(virtualServices, (service) => tierOf(service, namespace));
  const byGateway = new Map<ObjectName, BoundService[]>(gateways.map((gateway) => [objectName(gateway), []]));
  for (const service of tiers.flatMap((tier) => byTier.get(tier) ?? [])) {
    const names = service.spec.gateways.flatMap((name) => resolveGatewayName(name, service.metadata.namespace) ?? []);
    for (const gateway of new Set(names)) byGateway.get(gateway)?.push({ service, gateway });
  }
  return [...byGateway.values()].flat();
}

const tiers = ["private", "exported", "public"] as const;

function tierOf({ spec, metadata }: VirtualServiceManifest, namespace: string): (typeof tiers)[number] | "hidden" {
  const exports = resolveExports(spec.exportTo, metadata.namespace);
  if (exports.includes("*")) {
    return "public";
  }
  if (!exports.includes(namespace)) {
    return "hidden";
  }
  return metadata.namespace === namespace ? "private" : "exported";
}

function hostKeys(
  { spec, metadata }: VirtualServiceManifest,
  namespace: string,
  lists: readonly RuleList[],
): ReadonlySet<string> {
  const keys = lists.filter((list) => list.namespace === namespace);
  const hosts = spec.hosts.map((host) => resolveHost(host, metadata.namespace));
  return new Set(keys.flatMap(({ key }) => hosts.map((host) => `${key} ${host}`)));
}

interface Shadow {
  readonly match: HttpMatch;
  readonly owner: Owner;
}

/** Finds what takes the requests of a rule, and puts the rule where it stands for the next. */
function findShadow(bound: BoundService, rule: HttpRoute, earlier: HostRules): Shadow | undefined {
  const { service } = bound;
  const conditions = conditionsOf(rule);
  const covers = conditions.map((match) => findCover(match, earlier));
  // What a delegate has no match for goes on to the next rule, so a rule that delegates covers nothing by itself.
  for (const match of rule.action.kind === "delegate" ? [] : conditions) {
    earlier.owners.set(match, { ...bound, resource: rule.madeFrom ?? resourceName(service) });
    (isCatchAll(match) ? earlier.catchAlls : earlier.rules).add(match);
  }
  const match = covers.find((cover) => cover !== undefined && earlier.owners.get(cover)?.service !== service);
  const owner = match === undefined ? undefined : earlier.owners.get(match);
  return match === undefined || owner === undefined || covers.includes(undefined) ? undefined : { match, owner };
}

function findCover(match: HttpMatch, earlier: HostRules): HttpMatch | undefined {
  return earlier.rules.findCover(match) ?? (isCatchAll(match) ? earlier.catchAlls.findCover(match) : undefined);
}

function reportShadow(
  { rule, index, ...bound }: BoundService & { readonly rule: HttpRoute; readonly index: number },
  { match, owner }: Shadow,
  namespace: string,
): Diagnostic {
  const place = `${owner.resource} (${renderPosition(match.at)})`;
  const subject = rule.madeFrom === undefined ? `Rule ${ruleName(rule, index)}` : "The path";
  return diagnostic("KIR1037", {
    message: `${subject} is never reached at the gateway: ${place} takes its requests first, ${whyFirst(owner, bound, namespace)}.`,
    hint: "Put both rules into one VirtualService, where their order is yours.",
    resource: rule.madeFrom ?? resourceName(bound.service),
    at: rule.at,
  });
}

function whyFirst(owner: Owner, bound: BoundService, namespace: string): string {
  const [first, second] = [owner.service, bound.service];
  if (first.madeFrom !== undefined && second.madeFrom === undefined) {
    return "because Istio counts what an Ingress stands for as the oldest";
  }
  if (owner.gateway !== bound.gateway) {
    return `because its Gateway ${owner.gateway} comes before ${bound.gateway}`;
  }
  if (tierOf(first, namespace) !== tierOf(second, namespace)) {
    return tierOf(first, namespace) === "private"
      ? `because it is kept to namespace ${namespace}, where the gateway is`
      : `because it is exported to namespace ${namespace} by name`;
  }
  return first.metadata.creationTimestamp === second.metadata.creationTimestamp
    ? "because its name comes first and neither is older"
    : "because it is older";
}
