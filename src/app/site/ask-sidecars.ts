import { KirikaeError } from "../../core/diagnostics/error.ts";
import { readControlPlane } from "../../targets/istio/control-plane.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import type { SiteMesh } from "./mesh/site-mesh.ts";

/**
 * Tells a mesh which sidecars istiod lists, where the pods that are known leave rules for callers inside the mesh to
 * nobody. Where istiod cannot be asked the pods are what is known; whoever moves traffic is told then.
 * @returns whether the routes are others than before
 */
export async function askSidecars(
  { istiods }: Pick<SiteConnection, "istiods">,
  mesh: Pick<SiteMesh, "lacksSidecars" | "tellSidecars">,
  signal?: AbortSignal,
): Promise<boolean> {
  if (!mesh.lacksSidecars) return false;
  try {
    const { proxies } = await readControlPlane(await istiods(), signal);
    const sidecars = [...proxies.values()].filter(({ sync }) => sync.kind === "sidecar");
    return mesh.tellSidecars(new Set(sidecars.map(({ sync }) => sync.proxy)));
  } catch (error) {
    if (error instanceof KirikaeError) return false;
    throw error;
  }
}
