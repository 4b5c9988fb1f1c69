import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { conditionsOf, ruleName } from "./check-rule-order.ts";
import { CoverageIndex } from "./coverage-index.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { resolveHost } from "./host-name.ts";
import { isCatchAll } from "./match-coverage.ts";
import type { Mesh } from "./mesh.ts";

/** What stands before a rule in the list of one gateway host; catch-alls go to the end of it, so they are kept apart. */
interface HostRules {
  readonly rules: CoverageIndex;
  readonly catchAlls: CoverageIndex;
  /** Which VirtualService a match came from. */
  readonly owners: Map<HttpMatch, VirtualServiceManifest>;
}

/**
 * Rules that another VirtualService shadows. On a gateway the rules for one host form one list over all
 * VirtualServices, oldest object first, with every catch-all moved to the end.
 */
export function checkShadowing(mesh: Mesh): readonly Diagnostic[] {
  const hosts = new Map<string, HostRules>();
  const shadowed = new Map<HttpRoute, Diagnostic>();
  for (const service of mesh.virtualServices) {
    for (const key of gatewayHosts(service)) {
      const earlier = hosts.get(key) ?? {
        rules: new CoverageIndex(),
        catchAlls: new CoverageIndex(),
        owners: new Map(),
      };
      hosts.set(key, earlier);
      for (const [index, rule] of service.spec.http.entries()) {
        const finding = checkRule(service, { rule, index }, earlier);
        if (finding !== undefined && !shadowed.has(rule)) {
          shadowed.set(rule, finding);
        }
      }
    }
  }
  return [...shadowed.values()];
}

function checkRule(
  service: VirtualServiceManifest,
  { rule, index }: { readonly rule: HttpRoute; readonly index: number },
  earlier: HostRules,
): Diagnostic | undefined {
  const conditions = conditionsOf(rule);
  const covers = conditions.map((match) => findCover(match, earlier));
  for (const match of conditions) {
    earlier.owners.set(match, service);
    (isCatchAll(match) ? earlier.catchAlls : earlier.rules).add(match);
  }
  const foreign = covers.find((cover) => cover !== undefined && earlier.owners.get(cover) !== service);
  const owner = foreign === undefined ? undefined : earlier.owners.get(foreign);
  if (foreign === undefined || owner === undefined || covers.includes(undefined)) {
    return undefined;
  }
  const place = `${resourceName(owner)} (${renderPosition(foreign.at)})`;
  return diagnostic("KIR1037", {
    message: `Rule ${ruleName(rule, index)} is never reached: ${place} takes its requests first.`,
    hint: "Put both rules into one VirtualService, where their order is yours.",
    resource: resourceName(service),
    at: rule.at,
  });
}

function findCover(match: HttpMatch, earlier: HostRules): HttpMatch | undefined {
  return earlier.rules.findCover(match) ?? (isCatchAll(match) ? earlier.catchAlls.findCover(match) : undefined);
}

function gatewayHosts(service: VirtualServiceManifest): readonly string[] {
  const { namespace } = service.metadata;
  const gateways = service.spec.gateways.map((name) => resolveGatewayName(name, namespace));
  return gateways
    .filter((name) => name !== undefined)
    .flatMap((name) => service.spec.hosts.map((host) => `${name} ${resolveHost(host, namespace)}`));
}
