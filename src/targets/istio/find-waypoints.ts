import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ControlPlaneReading, ListedProxy } from "./control-plane.ts";

const viewTimeoutMs = 10_000;

/**
 * The waypoints of ambient mode that serve these VirtualServices (`namespace/name`). Their routes are a part of their
 * listeners (Istio `pilot/pkg/networking/core/waypoint.go`) and not resources of their own, so that neither they nor
 * istiod show them where those of all other proxies are read. One of which it cannot be told counts.
 */
export async function findWaypoints(
  { proxies }: ControlPlaneReading,
  services: readonly string[],
): Promise<readonly string[]> {
  const waypoints = [...proxies.values()].filter(({ sync }) => sync.kind === "waypoint");
  const serving = await Promise.all(waypoints.map((listed) => serves(listed, services)));
  return waypoints.filter((_, at) => serving[at]).map(({ sync }) => sync.proxy);
}

async function serves({ istiod, sync }: ListedProxy, services: readonly string[]): Promise<boolean> {
  const path = `/debug/config_dump?proxyID=${encodeURIComponent(sync.proxy)}&types=lds`;
  try {
    const listeners = await istiod.get(path, { timeoutMs: viewTimeoutMs });
    return services.some((service) => listeners.includes(`/namespaces/${service.replace("/", "/virtual-service/")}"`));
  } catch (error) {
    if (error instanceof KirikaeError) return true;
    throw error;
  }
}
