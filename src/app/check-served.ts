import { KirikaeError } from "../core/diagnostics/error.ts";
import type { RouteTable } from "../core/routes/route-table.ts";

/**
 * Refuses manifests that would serve nobody. At a start that is a mistake; for a mesh that runs it is a folder caught
 * while a file was moved away, and taking it at its word would end all traffic.
 * @throws KirikaeError KIR5031, exit status 2
 */
export function checkServed({ listeners, httpRoutings }: RouteTable, folder: string): void {
  if (listeners.length === 0) {
    throw new KirikaeError("KIR5031", `The manifests in ${folder} have no gateway that could be served.`, {
      exitStatus: 2,
      hint: "Add a Gateway with an HTTP server and a VirtualService that names it.",
    });
  }
  const carriesConnections = listeners.some(({ filterChains }) =>
    filterChains.some(({ serves }) => serves.kind === "tcp"),
  );
  if (!carriesConnections && httpRoutings.every(({ virtualHosts }) => virtualHosts.length === 0)) {
    throw new KirikaeError("KIR5031", `The manifests in ${folder} have no VirtualService for their gateways.`, {
      exitStatus: 2,
      hint: "Add a VirtualService that names a Gateway and a host that it admits.",
    });
  }
}
