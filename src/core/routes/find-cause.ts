import { resourceName } from "../manifest/manifest.ts";
import { destinationRulesFor, findDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { nameDestination } from "./name-destination.ts";
import type { DestinationId } from "./route-table.ts";
import type { SimulationResult } from "./simulation.ts";

export interface CauseContext {
  readonly mesh: Pick<Mesh, "destinationRules" | "manifests" | "services">;
  /** Of the proxy that answers. */
  readonly clientNamespace: string;
}

/**
 * Why a request ends with an error, in the words of whoever wrote the manifests; undefined for one that is answered as
 * its rule says. Source: the response flags of Envoy, and what in Istio's configuration leads to each.
 */
export function findCause(result: SimulationResult, context: CauseContext): string | undefined {
  switch (result.kind) {
    case "route":
      return result.failure === undefined ? undefined : findFailure(result, context);
    case "redirect":
      return result.route === undefined
        ? "httpsRedirect of the Gateway's server sends every plain request to https before any rule is tried"
        : undefined;
    case "direct":
      return result.by === "fault" ? "the rule's fault aborts every request that it takes" : undefined;
    case "rejected":
      return result.reason;
    case "miss":
      return missCauses[result.cause];
  }
}

const missCauses = {
  "no-listener": "nothing listens on this port, so that the connection is refused",
  "no-filter-chain":
    "no filter chain of the port speaks HTTP with a client that begins like this, so that the connection is reset",
  "no-virtual-host": "no virtual host stands for the Host header; a rule for another host is never a fallback",
  "no-route":
    "the host is served, but no rule of it takes the request; rules of a wider host, such as *, are not tried then",
} as const;

type FailedRoute = Extract<SimulationResult, { kind: "route" }>;

function findFailure({ arms, failure }: FailedRoute, context: CauseContext): string {
  const ids = [...new Set(arms.map(({ arm }) => arm.destination))];
  const reasons = ids.map((id) => (failure?.flag === "UH" ? whyEmpty(id, context) : whyAbsent(id, context)));
  return [...new Set(reasons)].join("; ");
}

/** 503 NC: the proxy has no such cluster. */
function whyAbsent(id: DestinationId, { mesh, clientNamespace }: CauseContext): string {
  const { host, port, subset } = nameDestination(id);
  const service = mesh.services.get(host);
  if (service === undefined) return `no Service and no ServiceEntry declares ${host}`;
  if (!service.ports.some(({ number }) => number === port)) {
    const known = service.ports.map(({ number }) => number).join(", ");
    return `${host} has the ports ${known} and not ${port}; a rule without a port takes the listener's own where there are several`;
  }
  if (subset === null) return `callers in ${clientNamespace} do not see ${host}`;
  const rule = findDestinationRule(mesh, host, { clientNamespace, config: meshConfigOf(mesh) });
  if (rule !== undefined) {
    const names = rule.subsets.map(({ name }) => name).join(", ") || "none";
    const owners = rule.rules.map(resourceName).join(" and ");
    return `${owners} counts for callers in ${clientNamespace} and has no subset ${subset}; its subsets: ${names}`;
  }
  const others = destinationRulesFor(mesh, host).map(resourceName);
  const seen = others.length === 0 ? "" : `; ${others.join(" and ")} is not visible there`;
  return `no DestinationRule for ${host} counts for callers in ${clientNamespace}, so that there is no subset ${subset}${seen}`;
}

/** 503 UH: the cluster is there, and nothing is behind it. */
function whyEmpty(id: DestinationId, { mesh }: CauseContext): string {
  const { host, subset } = nameDestination(id);
  const service = mesh.services.get(host);
  if (service?.resolution === "none") return `${host} has resolution NONE, which has no endpoints at a gateway`;
  const all = service?.endpoints.length ?? 0;
  if (subset === null || all === 0) return `${host} has no endpoint`;
  return `the labels of subset ${subset} select none of the ${all} endpoints of ${host}`;
}
