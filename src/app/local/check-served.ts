import { KirikaeError } from "../../core/diagnostics/error.ts";
import { routingsOf } from "../../core/routes/listener-parts.ts";
import type { RouteTable } from "../../core/routes/route-table.ts";

/**
 * Refuses manifests that would serve nobody. At a start that is a mistake; for a mesh that runs it is a folder caught
 * while a file was moved away, and taking it at its word would end all traffic. So it is when a running mesh would lose
 * all that its gateways serve, although callers inside it would go on.
 * @param before what runs; undefined at a start
 * @throws KirikaeError KIR5031, exit status 2
 */
export function checkServed(table: RouteTable, folder: string, before?: RouteTable): void {
  if (servesGateways(table)) return;
  const hasCallers = table.listeners.some(({ role }) => role.kind === "outboundHttp");
  if (hasCallers && (before === undefined || !servesGateways(before))) return;
  const hasGateway = table.listeners.some(({ role }) => role.kind === "gateway");
  throw hasGateway
    ? new KirikaeError("KIR5031", `The manifests in ${folder} have no VirtualService for their gateways.`, {
        exitStatus: 2,
        hint: "Add a VirtualService that names a Gateway and a host that it admits.",
      })
    : new KirikaeError("KIR5031", `The manifests in ${folder} have no gateway that could be served.`, {
        exitStatus: 2,
        hint: hasCallers
          ? "The mesh that runs has one; stop it and start it again where that is meant."
          : "Add a Gateway with a server and a VirtualService that names it, or a sidecar: istio-injection: enabled.",
      });
}

function servesGateways(table: RouteTable): boolean {
  return table.listeners.some(
    (listener) =>
      listener.role.kind === "gateway" &&
      (listener.filterChains.some(({ serves }) => serves.kind === "tcp") ||
        routingsOf(table, listener).some(({ virtualHosts }) => virtualHosts.length > 0)),
  );
}
