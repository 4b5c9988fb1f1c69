import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { resolveGatewayName } from "../mesh/gateway-name.ts";
import { resolveExportTo } from "./exports.ts";

/** Gateways of a VirtualService by resolved name; without any it belongs to the mesh alone. */
export function gatewaysOf(virtualService: VirtualServiceManifest): readonly string[] {
  const { gateways } = virtualService.spec;
  return gateways.length === 0
    ? ["mesh"]
    : gateways.map((gateway) => resolveGatewayName(gateway, virtualService.metadata.namespace) ?? "mesh");
}

/**
 * How far a VirtualService can be seen from a namespace. Istio tries the private ones first, then those exported to
 * the namespace by name, then the public ones, so that the order of creation counts only within each kind.
 * Source: Istio `pilot/pkg/model/push_context.go`, initVirtualServices and VirtualServicesForGateway.
 */
export function visibilityFrom(
  virtualService: VirtualServiceManifest,
  { namespace, byDefault }: Viewer,
): "private" | "exported" | "public" | "hidden" {
  const own = virtualService.metadata.namespace;
  const exports = resolveExportTo({ exportTo: virtualService.spec.exportTo, byDefault, namespace: own });
  if (exports.includes("*")) {
    return "public";
  }
  if (!exports.includes(namespace)) {
    return "hidden";
  }
  return own === namespace ? "private" : "exported";
}

/** Who looks at VirtualServices. */
export interface Viewer {
  readonly namespace: string;
  /** What the mesh says of those that say nothing; `*` is everywhere. */
  readonly byDefault: readonly string[];
}

/** VirtualServices by Gateway, each list in the order in which a workload merges them. */
export function indexByGateway(
  virtualServices: readonly VirtualServiceManifest[],
  viewer: Viewer,
): ReadonlyMap<string, readonly VirtualServiceManifest[]> {
  const tiers = { private: [], exported: [], public: [], hidden: [] } as Record<
    ReturnType<typeof visibilityFrom>,
    VirtualServiceManifest[]
  >;
  for (const virtualService of virtualServices) {
    tiers[visibilityFrom(virtualService, viewer)].push(virtualService);
  }
  const index = new Map<string, VirtualServiceManifest[]>();
  for (const virtualService of [...tiers.private, ...tiers.exported, ...tiers.public]) {
    for (const gateway of new Set(gatewaysOf(virtualService))) {
      const list = index.get(gateway);
      if (list === undefined) {
        index.set(gateway, [virtualService]);
      } else {
        list.push(virtualService);
      }
    }
  }
  return index;
}
