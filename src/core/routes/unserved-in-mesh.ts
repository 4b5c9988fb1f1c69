import { objectName, type ObjectName } from "../manifest/manifest.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RouteTable } from "./route-table.ts";
import { gatewaysOf } from "./virtual-service-binding.ts";

/** VirtualServices with HTTP rules that are for callers inside the mesh, and that no proxy of the table has. */
export function findUnservedInMesh(
  { virtualServices }: Pick<Mesh, "virtualServices">,
  { httpRoutings }: Pick<RouteTable, "httpRoutings">,
): readonly ObjectName[] {
  const bound = virtualServices.filter(
    (service) => service.spec.hosts.length > 0 && service.spec.http.length > 0 && gatewaysOf(service).includes("mesh"),
  );
  if (bound.length === 0) return [];
  const served = new Set<ObjectName>();
  for (const { virtualHosts } of httpRoutings) {
    for (const { routes } of virtualHosts) for (const { origin } of routes) served.add(origin.virtualService);
  }
  return bound.map(objectName).filter((name) => !served.has(name));
}
