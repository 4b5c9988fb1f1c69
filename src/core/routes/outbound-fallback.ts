import type { Position } from "../diagnostics/position.ts";
import { resolveHost } from "../mesh/host-name.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { meshConfigOf } from "../mesh/sidecar-scope.ts";
import { buildDestinationPolicy, resolvePolicyBlocks } from "./destination-policy.ts";
import type { DestinationResolver } from "./destinations.ts";
import { noMutation } from "./header-mutation.ts";
import type { OutboundView } from "./outbound-view.ts";
import { matchAll } from "./route-match.ts";
import type { Destination, DestinationId, RouteAction, VirtualHost } from "./route-table.ts";

/** Where requests for hosts go that the mesh does not know; Istio's name for it. */
export const passthroughId: DestinationId = "PassthroughCluster";

/**
 * The virtual host for what no other takes: the host that the request names with ALLOW_ANY, 502 with REGISTRY_ONLY, or
 * the proxy that a Sidecar names. Source: Istio `httproute.go`, buildCatchAllVirtualHost.
 */
export function buildFallbackHost(
  mesh: Mesh,
  view: OutboundView,
  { destinations, found }: { destinations: DestinationResolver; found: Map<DestinationId, Destination> },
): VirtualHost {
  const policy = view.sidecar?.spec.outboundTrafficPolicy;
  const mode = policy?.mode ?? meshConfigOf(mesh).outboundTrafficPolicy;
  const at = view.sidecar?.at ?? view.members[0]?.at ?? nowhere;
  if (mode === "REGISTRY_ONLY") {
    return fallback("block_all", at, { kind: "direct", status: 502, body: new Uint8Array() });
  }
  if (policy?.egressProxy !== undefined) {
    const { host: written, subset, port } = policy.egressProxy;
    const host = resolveHost(written, view.sidecar?.metadata.namespace ?? view.namespace);
    const ref = { host, subset, port: port ?? destinations.inferPort(host, 80) };
    return fallback("allow_any", at, forwardTo(destinations.resolve(ref)));
  }
  found.set(passthroughId, passthrough);
  return fallback("allow_any", at, forwardTo(passthroughId));
}

const nowhere: Position = { file: "", line: 1, column: 1 };

const passthrough: Destination = {
  id: passthroughId,
  host: "*",
  subset: undefined,
  port: 0,
  protocol: "http",
  resolution: "requestHost",
  endpoints: [],
  policy: buildDestinationPolicy(resolvePolicyBlocks({ rule: undefined, subset: undefined, port: 0 })),
};

function fallback(name: string, at: Position, action: RouteAction): VirtualHost {
  return {
    domain: "*",
    requiresHttps: false,
    routes: [{ origin: { virtualService: "", rule: 0, match: undefined, at }, name, match: matchAll, action }],
  };
}

function forwardTo(destination: DestinationId): RouteAction {
  return {
    kind: "forward",
    split: {
      id: destination,
      arms: [{ destination, weight: 100, isDeclared: true, requestHeaders: noMutation, responseHeaders: noMutation }],
    },
    pathRewrite: undefined,
    hostRewrite: undefined,
    timeoutMs: 0,
    retry: undefined,
    mirrors: [],
    requestHeaders: noMutation,
    responseHeaders: noMutation,
  };
}
