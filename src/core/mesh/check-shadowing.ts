import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type ObjectName, objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { isHttpProtocol } from "../manifest/names.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { AdmittedHosts } from "./admitted-hosts.ts";
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
}

/** A VirtualService in its place at one of its Gateways. */
interface BoundService {
  readonly service: VirtualServiceManifest;
  readonly gateway: ObjectName;
}

interface Owner extends BoundService {
  readonly resource: string;
}

/** A place where rules of several VirtualServices become one list for each host. */
interface RuleList {
  /** The same for Gateways whose plain HTTP servers share a port. */
  readonly key: string;
  readonly port: number;
  /** Where the gateway's pods live. */
  readonly namespace: string;
  readonly admitted: AdmittedHosts;
}

/** A host of a list. */
interface ServedHost {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  /** In the order in which their rules are put together. */
  readonly bound: Map<VirtualServiceManifest, BoundService>;
}

/** Where a rule is never reached, and why at the first of these places. */
interface ShadowedRule {
  readonly bound: BoundService;
  readonly shadow: Shadow;
  readonly places: ServedHost[];
}

/**
 * Rules that another VirtualService shadows. On a gateway the rules for one host form one list over all
 * VirtualServices: those kept to the gateway's namespace first, then those exported to it by name, then the public
 * ones; the oldest object first within each, and every catch-all at the end.
 * Source: Istio `pilot/pkg/model/push_context.go`, VirtualServicesForGateway; `route.go`, SortVHostRoutes.
 */
export function checkShadowing(mesh: Mesh, pods: GatewayPods): readonly Diagnostic[] {
  const shadowed = new Map<HttpRoute, ShadowedRule>();
  const reached = new Set<HttpRoute>();
  for (const places of groupHosts(collectHosts(mesh, collectLists(mesh, pods)))) {
    const earlier = emptyRules();
    const inOrder = [...(places[0]?.bound.values() ?? [])];
    for (const bound of inOrder) {
      for (const rule of bound.service.spec.http) {
        const shadow = inOrder.length === 1 ? undefined : findShadow(bound, rule, earlier);
        if (shadow === undefined) {
          reached.add(rule);
        } else {
          const known = shadowed.get(rule) ?? { bound, shadow, places: [] };
          shadowed.set(rule, known);
          known.places.push(...places);
        }
      }
    }
  }
  return mesh.virtualServices.flatMap(({ spec }) =>
    spec.http.flatMap((rule, index) => {
      const found = shadowed.get(rule);
      return found === undefined ? [] : reportShadow({ rule, index }, found, { isReached: reached.has(rule) });
    }),
  );
}

function emptyRules(): HostRules {
  return { rules: new CoverageIndex(), catchAlls: new CoverageIndex(), owners: new Map() };
}

/** Plain HTTP servers of one workload and port share their rules; a TLS server has a list of its own. */
function collectLists(mesh: Mesh, pods: GatewayPods): ReadonlyMap<ObjectName, readonly RuleList[]> {
  return new Map(
    mesh.gateways.map((gateway) => {
      const [namespace = rootNamespace] = pods.namespacesOf(gateway);
      const lists = gateway.spec.servers
        .filter(({ port, tls }) => isHttpProtocol(port.protocol) || (tls !== undefined && tls.mode !== "PASSTHROUGH"))
        .map((server): RuleList => {
          const { port, bind, tls, name } = server;
          const key =
            tls === undefined
              ? [selectorKey(gateway.spec.selector), port.number, bind]
              : [objectName(gateway), port.number, name];
          const admitted = new AdmittedHosts({ ...gateway, spec: { ...gateway.spec, servers: [server] } });
          return { key: JSON.stringify(key), port: port.number, namespace, admitted };
        });
      return [objectName(gateway), lists] as const;
    }),
  );
}

/** Every host of every list with the VirtualServices that have rules for it. */
function collectHosts(mesh: Mesh, lists: ReadonlyMap<ObjectName, readonly RuleList[]>): Iterable<ServedHost> {
  const hosts = new Map<string, ServedHost>();
  const namespaces = new Set([...lists.values()].flat().map(({ namespace }) => namespace));
  for (const namespace of namespaces) {
    for (const bound of orderFor(mesh, namespace)) {
      const open = (lists.get(bound.gateway) ?? []).filter((list) => list.namespace === namespace);
      for (const { key, port, admitted } of open) {
        for (const host of servedHosts(bound.service, admitted)) {
          const id = `${key} ${host}`;
          const served = hosts.get(id) ?? { host, port, namespace, bound: new Map() };
          hosts.set(id, served);
          // By a second Gateway on the port its rules come a second time, and that changes nothing.
          if (!served.bound.has(bound.service)) served.bound.set(bound.service, bound);
        }
      }
    }
  }
  return hosts.values();
}

function servedHosts({ spec, metadata }: VirtualServiceManifest, admitted: AdmittedHosts): ReadonlySet<string> {
  const { namespace } = metadata;
  return new Set(spec.hosts.flatMap((host) => [...admitted.servedOf(resolveHost(host, namespace), namespace)]));
}

/** Hosts with the same VirtualServices in the same order have the same list, which is looked at once. */
function groupHosts(hosts: Iterable<ServedHost>): Iterable<readonly ServedHost[]> {
  const numbers = new Map<string, number>();
  const numberOf = ({ service, gateway }: BoundService): number => {
    const name = `${gateway} ${objectName(service)}`;
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  return Map.groupBy(
    hosts,
    ({ bound, namespace }) => `${namespace} ${[...bound.values()].map(numberOf).join()}`,
  ).values();
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
  { rule, index }: { readonly rule: HttpRoute; readonly index: number },
  { bound, shadow, places }: ShadowedRule,
  { isReached }: { readonly isReached: boolean },
): Diagnostic {
  const { match, owner } = shadow;
  const by = `${owner.resource} (${renderPosition(match.at)})`;
  const subject = rule.madeFrom === undefined ? `Rule ${ruleName(rule, index)}` : "The path";
  const where = isReached ? `for ${describePlaces(places)}` : "at the gateway";
  return diagnostic("KIR1037", {
    message: `${subject} is never reached ${where}: ${by} takes its requests first, ${whyFirst(owner, bound, places[0]?.namespace ?? rootNamespace)}.`,
    hint: "Put both rules into one VirtualService, where their order is yours.",
    resource: rule.madeFrom ?? resourceName(bound.service),
    at: rule.at,
  });
}

function describePlaces(places: readonly ServedHost[]): string {
  return listNames(
    places.map(({ host, port }) => `${host} on port ${port}`),
    3,
  );
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
