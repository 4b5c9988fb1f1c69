import type { Position } from "../diagnostics/position.ts";
import type { ConnectionPool } from "../manifest/destination-rule.ts";
import type { ObjectName, SidecarManifest } from "../manifest/manifest.ts";
import type { SidecarIngress } from "../manifest/sidecar.ts";
import { findDestinationRule } from "../mesh/destination-rule-lookup.ts";
import type { HostName, Mesh, MeshPort, MeshService } from "../mesh/mesh.ts";
import { entryProtocol } from "../mesh/port-protocol.ts";
import { findCallers, type MeshCaller } from "../mesh/sidecar-injection.ts";
import { findSidecar, meshConfigOf } from "../mesh/sidecar-scope.ts";
import { resolvePolicyBlocks, type ResolvedBlocks } from "./destination-policy.ts";

/** A port at which a workload's own proxy takes what is sent to the workload. */
export interface InboundPort {
  /** Of the workload, not of a service. */
  readonly number: number;
  /** The service's port that leads there, which names the virtual host. */
  readonly servicePort: number;
  /** The service whose DestinationRule counts; undefined where none leads there. */
  readonly host: HostName | undefined;
  readonly protocol: "http" | "http2" | "tcp";
  readonly isGrpc: boolean;
  /** A Unix socket, with `unix://`, that the workload listens on; undefined is the port of each replica. */
  readonly socket: string | undefined;
  /** Only limits of connections count before a workload. */
  readonly blocks: ResolvedBlocks;
  /** Where the port is written. */
  readonly at: Position;
}

/** The ports of a workload by number, for workloads of this machine that have a sidecar. */
export type InboundPorts = ReadonlyMap<ObjectName, ReadonlyMap<number, InboundPort>>;

/**
 * The ports that the sidecars of local workloads take requests at: those that a Sidecar lists under `ingress`, and where
 * it lists none, those that services lead to. Of two services with one port the older one decides.
 * Source: Istio `pilot/pkg/networking/core/listener_inbound.go`, buildInboundChainConfigs.
 */
export function findInboundPorts(mesh: Mesh): InboundPorts {
  const callers = [...findCallers(mesh).values()].filter(
    ({ name, injection }) => injection.isInjected && mesh.localWorkloads.has(name),
  );
  if (callers.length === 0) return new Map();
  const targets = findTargets(mesh, new Set(callers.map(({ name }) => name)));
  return new Map(callers.map((caller) => [caller.name, portsOf(caller, targets.get(caller.name) ?? [], mesh)]));
}

/** A port of a service, and the port of one workload that it leads to. */
interface Target {
  readonly service: MeshService;
  readonly port: MeshPort;
  readonly number: number;
}

function findTargets(mesh: Mesh, workloads: ReadonlySet<ObjectName>): ReadonlyMap<ObjectName, readonly Target[]> {
  const targets = new Map<ObjectName, Target[]>();
  for (const service of mesh.services.values()) {
    for (const one of [service, ...(service.others ?? [])]) {
      for (const { source, ports } of one.endpoints) {
        if (source.kind !== "localWorkload" || !workloads.has(source.name)) continue;
        const found = one.ports.flatMap((port) => {
          const number = ports.get(port.number);
          return number === undefined || port.protocol === "udp" ? [] : [{ service: one, port, number }];
        });
        targets.set(source.name, [...(targets.get(source.name) ?? []), ...found]);
      }
    }
  }
  return targets;
}

function portsOf(caller: MeshCaller, targets: readonly Target[], mesh: Mesh): ReadonlyMap<number, InboundPort> {
  const sidecar = findSidecar(mesh, caller);
  const ports = new Map<number, InboundPort>();
  const add = (port: Omit<InboundPort, "blocks">): void => {
    if (!ports.has(port.number))
      ports.set(port.number, { ...port, blocks: blocksFor(port, caller, { mesh, sidecar }) });
  };
  const ingress = sidecar?.spec.ingress ?? [];
  for (const entry of ingress) add(ingressPort(entry, targets));
  if (ingress.length === 0) for (const target of targets) add(targetPort(target));
  return new Map([...ports].toSorted(([left], [right]) => left - right));
}

function targetPort({ service, port, number }: Target): Omit<InboundPort, "blocks"> {
  return {
    number,
    servicePort: port.number,
    host: service.host,
    protocol: port.protocol === "http" || port.protocol === "http2" ? port.protocol : "tcp",
    isGrpc: /^grpc(?:-|$)/i.test(port.name ?? ""),
    socket: undefined,
    at: service.origin.at,
  };
}

/** The port of `defaultEndpoint` is the one that the workload has in its pod; here each replica has one of its own. */
function ingressPort(
  { port, defaultEndpoint, at }: SidecarIngress,
  targets: readonly Target[],
): Omit<InboundPort, "blocks"> {
  const protocol = entryProtocol(port.protocol);
  return {
    number: port.number,
    servicePort: port.number,
    host: targets.find(({ number }) => number === port.number)?.service.host,
    protocol: protocol === "http" || protocol === "http2" ? protocol : "tcp",
    isGrpc: /^grpc(?:-web)?$/i.test(port.protocol),
    socket: defaultEndpoint?.startsWith("unix://") === true ? defaultEndpoint : undefined,
    at,
  };
}

/**
 * The DestinationRule that the workload itself would go by, without its subsets; a pool of the Sidecar takes the place of
 * the rule's. Source: Istio `pilot/pkg/networking/core/cluster_builder.go`, buildInboundCluster, and
 * `pilot/pkg/model/sidecar.go`, InboundConnectionPoolForPort.
 */
function blocksFor(
  { number, servicePort, host }: Omit<InboundPort, "blocks">,
  { namespace, labels }: MeshCaller,
  { mesh, sidecar }: { readonly mesh: Mesh; readonly sidecar: SidecarManifest | undefined },
): ResolvedBlocks {
  const client = { clientNamespace: namespace, clientLabels: labels, config: meshConfigOf(mesh) };
  const rule = host === undefined ? undefined : findDestinationRule(mesh, host, client)?.trafficPolicy;
  const { connectionPool, retryBudget } = resolvePolicyBlocks({ rule, subset: undefined, port: servicePort });
  const nothing = resolvePolicyBlocks({ rule: undefined, subset: undefined, port: servicePort });
  return { ...nothing, connectionPool: sidecarPool(sidecar, number) ?? connectionPool, retryBudget };
}

function sidecarPool(sidecar: SidecarManifest | undefined, number: number): ConnectionPool | undefined {
  const own = sidecar?.spec.ingress.find(
    ({ port, connectionPool }) => port.number === number && connectionPool !== undefined,
  );
  return own?.connectionPool ?? sidecar?.spec.inboundConnectionPool;
}
