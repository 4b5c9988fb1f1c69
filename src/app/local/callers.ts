import type { CallerDetail, CallerStatus, CallerTarget, DirectService } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { Mesh } from "../../core/mesh/mesh.ts";
import { resolveCallerHost } from "../../core/mesh/resolve-caller-host.ts";
import { findCallers, type MeshCaller } from "../../core/mesh/sidecar-injection.ts";
import type { RouteTable } from "../../core/routes/route-table.ts";
import type { GatewayPorts } from "../../local/ports.ts";
import type { WorkloadEndpoint } from "../../local/workloads.ts";
import { locateProxy, locateServices } from "./sidecars.ts";

export interface CallerParts {
  readonly mesh: Mesh;
  readonly table: RouteTable;
  readonly ports: GatewayPorts;
  readonly listenAddress: string;
  endpoints(localWorkload: string): readonly WorkloadEndpoint[];
}

/** Every workload that sends requests inside the mesh, by name. */
export function listCallers(parts: CallerParts): readonly CallerStatus[] {
  return [...findCallers(parts.mesh).values()].map((caller) => describeCaller(caller, parts));
}

/**
 * One workload, its addresses, and for one without a sidecar where it comes to the service that it asks for.
 * @throws KirikaeError KIR5061 for a workload that the manifests do not have, exit status 2
 */
export function findCaller(parts: CallerParts, name: string, target: CallerTarget | undefined): CallerDetail {
  const callers = findCallers(parts.mesh);
  const caller = callers.get(name);
  if (caller === undefined) throw unknownCaller(name, [...callers.keys()]);
  const { injection } = caller;
  const services = locateServices(parts, name).map(({ host, port, localPort }) => ({
    host,
    port,
    address: `${parts.listenAddress}:${localPort}`,
  }));
  return {
    ...describeCaller(caller, parts),
    hint: injection.isInjected ? null : injection.hint,
    services,
    direct: injection.isInjected || target === undefined ? null : findDirect(caller, target, parts),
  };
}

function describeCaller({ name, injection }: MeshCaller, parts: CallerParts): CallerStatus {
  return {
    workload: name,
    proxy: locateProxy(parts, name) ?? null,
    withoutSidecar: injection.isInjected ? null : injection.reason,
  };
}

/** Every ready endpoint of the service, whatever subset it is in: what a Service of Kubernetes does by itself. */
function findDirect(caller: MeshCaller, target: CallerTarget, parts: CallerParts): DirectService | null {
  const service = resolveCallerHost(parts.mesh, target.host, caller.namespace);
  if (service?.ports.some(({ number }) => number === target.port) !== true) return null;
  const endpoints = service.endpoints.flatMap(({ source, ports }) => {
    const port = ports.get(target.port);
    if (port === undefined) return [];
    if (source.kind === "address") return [`${source.address}:${port}`];
    return parts
      .endpoints(source.name)
      .filter(({ ready }) => ready)
      .map((endpoint) => `${endpoint.host}:${endpoint.port}`);
  });
  return { host: service.host, port: target.port, endpoints: [...new Set(endpoints)] };
}

function unknownCaller(name: string, known: readonly string[]): KirikaeError {
  return new KirikaeError("KIR5061", `There is no workload ${name} in the manifests.`, {
    exitStatus: 2,
    hint: known.length === 0 ? "They hold none." : `These exist: ${known.join(", ")}.`,
    details: { known },
  });
}
