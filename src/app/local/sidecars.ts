import type { Mesh } from "../../core/mesh/mesh.ts";
import { outboundListenerOf, serviceListenersOf } from "../../core/routes/outbound-listeners.ts";
import type { ProxyId, RouteTable } from "../../core/routes/route-table.ts";
import type { MeshEnvironment } from "../../local/command-replica.ts";
import type { GatewayPorts } from "../../local/ports.ts";
import type { MeshEnvironments } from "../../local/workloads.ts";

export interface SidecarParts {
  readonly mesh: Pick<Mesh, "services">;
  readonly table: RouteTable;
  readonly ports: GatewayPorts;
  readonly listenAddress: string;
}

/** One port of a service, and where a workload finds it on this machine. */
export interface LocatedService {
  readonly host: string;
  readonly port: number;
  readonly localPort: number;
}

/** The services that a workload with a sidecar has listeners of their own for. */
export function locateServices(
  { table, ports }: Pick<SidecarParts, "table" | "ports">,
  proxy: ProxyId,
): readonly LocatedService[] {
  return serviceListenersOf(table, proxy).flatMap(({ listener, host }) => {
    const localPort = ports.get(listener.id);
    return localPort === undefined ? [] : [{ host, port: listener.port, localPort }];
  });
}

/** Where a workload sends every HTTP request, `127.0.0.1:20001`; undefined for one without a sidecar. */
export function locateProxy(
  { table, ports, listenAddress }: Omit<SidecarParts, "mesh">,
  proxy: ProxyId,
): string | undefined {
  const listener = outboundListenerOf(table, proxy);
  const port = listener === undefined ? undefined : ports.get(listener.id);
  return port === undefined ? undefined : `${listenAddress}:${port}`;
}

/** What the processes of each workload with a sidecar are told, by workload. */
export function tellWorkloads(parts: SidecarParts, env: NodeJS.ProcessEnv): MeshEnvironments {
  const environments = new Map<string, MeshEnvironment>();
  for (const { id, kind, namespace } of parts.table.proxies.values()) {
    const address = kind === "sidecar" ? locateProxy(parts, id) : undefined;
    if (address === undefined) continue;
    const proxy = `http://${address}`;
    const services = locateServices(parts, id);
    environments.set(id, {
      variables: {
        ...proxyVariables(proxy, env),
        KIRIKAE_WORKLOAD: id,
        ...serviceVariables(services, { ...parts, namespace }),
      },
      // The view of the mesh decides where the services are.
      identity: [proxy, ...outboundRouting(parts.table, id)].join(" "),
    });
  }
  return environments;
}

function outboundRouting(table: RouteTable, proxy: ProxyId): readonly string[] {
  const serves = outboundListenerOf(table, proxy)?.filterChains[0]?.serves;
  return serves?.kind === "http" ? [serves.routing] : [];
}

/**
 * Programs read one spelling or the other, and Node asks to be told that they count. HTTPS_PROXY is left alone: what is
 * encrypted is nothing that rules could look into. What is on this machine needs no proxy.
 */
function proxyVariables(proxy: string, env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const direct = [env["NO_PROXY"] ?? env["no_proxy"] ?? "", "localhost,127.0.0.1,::1"]
    .filter((part) => part !== "")
    .join(",");
  return {
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: "1",
    KIRIKAE_PROXY: proxy,
  };
}

/** As Kubernetes tells pods where the Services of their namespace are. Source: its `pkg/kubelet/envvars`. */
function serviceVariables(
  services: readonly LocatedService[],
  { mesh, listenAddress, namespace }: Pick<SidecarParts, "mesh" | "listenAddress"> & { readonly namespace: string },
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const host of new Set(services.map((service) => service.host))) {
    const service = mesh.services.get(host);
    if (service?.origin.kind !== "Service" || service.namespace !== namespace) continue;
    const prefix = `${(host.split(".")[0] ?? "").toUpperCase().replaceAll("-", "_")}_SERVICE`;
    for (const { number, name } of service.ports) {
      const found = services.find((located) => located.host === host && located.port === number);
      if (found === undefined) continue;
      variables[`${prefix}_HOST`] = listenAddress;
      variables[`${prefix}_PORT`] ??= String(found.localPort);
      if (name !== undefined) {
        variables[`${prefix}_PORT_${name.toUpperCase().replaceAll("-", "_")}`] = String(found.localPort);
      }
    }
  }
  return variables;
}
