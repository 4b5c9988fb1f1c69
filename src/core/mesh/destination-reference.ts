import type { GatewayManifest, ObjectName, VirtualServiceManifest } from "../manifest/manifest.ts";
import { objectName } from "../manifest/manifest.ts";
import type { Destination } from "../manifest/virtual-service.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import type { GatewayPods } from "./gateway-pods.ts";
import { resolveHost, rootNamespace } from "./host-name.ts";
import type { HostName, Mesh } from "./mesh.ts";
import { resolveExports } from "./service-directory.ts";

/** A destination as a rule or a mirror names it. */
export interface DestinationReference {
  readonly virtualService: VirtualServiceManifest;
  readonly destination: Destination;
  readonly role: "destination" | "mirror";
  readonly host: HostName;
}

/** Every destination of a VirtualService: TCP, TLS and HTTP rules, and what is mirrored. */
export function referencesOf(virtualService: VirtualServiceManifest): readonly DestinationReference[] {
  const { http, tls, tcp } = virtualService.spec;
  const { namespace } = virtualService.metadata;
  const connections = [...tcp, ...tls].flatMap((rule) => rule.destinations);
  const requests = http.flatMap((rule) => (rule.action.kind === "route" ? rule.action.destinations : []));
  const mirrors = http.flatMap((rule) => rule.mirrors);
  const refer = (role: DestinationReference["role"]) => {
    return ({ destination }: { readonly destination: Destination }): DestinationReference => ({
      virtualService,
      destination,
      role,
      host: resolveHost(destination.host, namespace),
    });
  };
  return [...[...connections, ...requests].map(refer("destination")), ...mirrors.map(refer("mirror"))];
}

/** Who sends requests by the rules of a VirtualService, as far as what it sees of the mesh depends on where it is. */
export interface RuleClient {
  readonly namespace: string;
  readonly kind: "gateway" | "mesh";
}

/** Tells from which namespaces the rules of a VirtualService are carried out. */
export class RuleClients {
  readonly #namespaces: ReadonlyMap<ObjectName, readonly string[]>;
  readonly #delegating = new Map<ObjectName, VirtualServiceManifest[]>();

  constructor(mesh: Pick<Mesh, "gateways" | "virtualServices">, pods: GatewayPods) {
    const find = (gateway: GatewayManifest): readonly string[] => pods.namespacesOf(gateway);
    this.#namespaces = new Map(mesh.gateways.map((gateway) => [objectName(gateway), find(gateway)] as const));
    for (const root of mesh.virtualServices) {
      for (const name of delegatesOf(root)) {
        const roots = this.#delegating.get(name);
        if (roots === undefined) {
          this.#delegating.set(name, [root]);
        } else if (!roots.includes(root)) {
          roots.push(root);
        }
      }
    }
  }

  /** Gateways by the namespaces of their pods; callers in the mesh by those that the VirtualService is exported to. */
  of(service: VirtualServiceManifest): readonly RuleClient[] {
    const roots = service.spec.hosts.length === 0 ? (this.#delegating.get(objectName(service)) ?? []) : [];
    const clients = (roots.length === 0 ? [service] : roots).flatMap((root) => this.#clientsOf(root));
    return [...new Map(clients.map((client) => [`${client.kind} ${client.namespace}`, client])).values()];
  }

  #clientsOf({ spec, metadata }: VirtualServiceManifest): readonly RuleClient[] {
    const names = spec.gateways.map((name) => resolveGatewayName(name, metadata.namespace));
    const isForMesh = names.length === 0 || names.includes(undefined);
    const atGateways = names
      .filter((name) => name !== undefined)
      .flatMap((name) => this.#namespaces.get(name) ?? [rootNamespace])
      .map((namespace) => ({ kind: "gateway" as const, namespace }));
    const exports = resolveExports(spec.exportTo, metadata.namespace);
    // For a rule that everybody sees, callers next to it stand for all: other namespaces may hold none.
    const callers = exports.includes("*") ? [metadata.namespace] : exports;
    return [...atGateways, ...(isForMesh ? callers.map((namespace) => ({ kind: "mesh" as const, namespace })) : [])];
  }
}

/** Names of the VirtualServices that one hands requests to. */
export function delegatesOf({ spec, metadata }: VirtualServiceManifest): readonly ObjectName[] {
  return spec.http.flatMap(({ action }) =>
    action.kind === "delegate" ? [`${action.namespace ?? metadata.namespace}/${action.name}`] : [],
  );
}
