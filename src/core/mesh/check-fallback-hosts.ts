import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { coversHost, isWildcard } from "../manifest/host-pattern.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import { conditionsOf } from "./check-rule-order.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { HostIndex } from "./host-index.ts";
import { resolveHost } from "./host-name.ts";
import { isCatchAll } from "./match-coverage.ts";
import type { HostName, Mesh } from "./mesh.ts";

interface Claim {
  readonly service: VirtualServiceManifest;
  readonly host: HostName;
}

/**
 * VirtualServices on a wildcard host beside one on a narrower host of the same Gateway that leaves requests over.
 * People take the wildcard for a fallback, but a proxy picks one host and stays there: what is left over is 404.
 */
export function checkFallbackHosts(mesh: Pick<Mesh, "gateways" | "virtualServices">): readonly Diagnostic[] {
  const byGateway = new Map<string, Claim[]>();
  for (const service of mesh.virtualServices) {
    const { spec, metadata } = service;
    const names = spec.gateways.flatMap((name) => resolveGatewayName(name, metadata.namespace) ?? []);
    for (const name of new Set(names)) {
      const claims = byGateway.get(name) ?? [];
      claims.push(...spec.hosts.map((host) => ({ service, host: resolveHost(host, metadata.namespace) })));
      byGateway.set(name, claims);
    }
  }
  const reported = new Map<VirtualServiceManifest, Diagnostic>();
  const servedHosts = listServedHosts(mesh);
  for (const [gateway, claims] of byGateway) {
    for (const [wildcard, narrower] of findFallbacks(claims, servedHosts.get(gateway))) {
      reported.set(wildcard.service, reported.get(wildcard.service) ?? reportFallback(wildcard, narrower));
    }
  }
  return [...reported.values()];
}

/** How many hosts below a wildcard are looked at. */
const comparedAtMost = 20;

/**
 * The hosts that the servers of each Gateway name. Where one of them is the narrower host itself, Istio meets it with the
 * wildcard, and the rules of both are in one list: there the wildcard is a fallback.
 */
function listServedHosts({ gateways }: Pick<Mesh, "gateways">): ReadonlyMap<string, ReadonlySet<HostName>> {
  return new Map(
    gateways.map((gateway) => [
      objectName(gateway),
      new Set(
        gateway.spec.servers.flatMap(({ hosts }) => hosts.map((host) => host.replace(/^.*\//u, "").toLowerCase())),
      ),
    ]),
  );
}

function findFallbacks(
  claims: readonly Claim[],
  served: ReadonlySet<HostName> | undefined,
): readonly (readonly [Claim, readonly Claim[]])[] {
  const wildcards = claims.filter(({ service, host }) => isWildcard(host) && takesEverything(service));
  if (wildcards.length === 0) {
    return [];
  }
  const open = new Set(claims.filter(({ service }) => takesEverything(service)).map(({ host }) => host));
  const partial = claims.filter(({ host }) => !open.has(host));
  const index = new HostIndex(partial, ({ host }) => host);
  return wildcards.flatMap((wildcard) => {
    const narrower = index
      .findOverlapping(wildcard.host, comparedAtMost)
      .filter(
        ({ service, host }) =>
          service !== wildcard.service &&
          host !== wildcard.host &&
          served?.has(host) !== true &&
          coversHost(wildcard.host, host),
      );
    return narrower.length === 0 ? [] : [[wildcard, narrower] as const];
  });
}

function takesEverything({ spec }: VirtualServiceManifest): boolean {
  return spec.http.some((rule) => rule.action.kind !== "delegate" && conditionsOf(rule).some(isCatchAll));
}

function reportFallback({ service, host }: Claim, narrower: readonly Claim[]): Diagnostic {
  const [first] = narrower;
  const others = [...new Set(narrower.map((claim) => `${claim.host} (VirtualService ${objectName(claim.service)})`))];
  return diagnostic("KIR1227", {
    message: `The host "${host}" is no fallback for ${listNames(others, 3)}: a request for ${first?.host ?? "it"} that no rule there takes gets 404.`,
    hint: "Add a rule without a match at the end of the VirtualService for that host, if such requests should be answered.",
    resource: resourceName(service),
    at: service.spec.hostsAt ?? service.at,
  });
}
