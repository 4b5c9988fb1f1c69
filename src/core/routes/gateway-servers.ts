import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { objectName, resourceName, type GatewayManifest } from "../manifest/manifest.ts";
import type { GatewayWorkload } from "./gateway-workloads.ts";

/** A server of a Gateway with its host bindings resolved. */
export interface BoundServer {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly server: GatewayServer;
  readonly bindings: readonly HostBinding[];
}

export interface HostBinding {
  /** Only VirtualServices of this namespace; undefined takes all. */
  readonly namespace: string | undefined;
  /** Lower case. */
  readonly host: string;
}

/**
 * The HTTP servers of a workload by port, in Istio's order. A server that an older one excludes is left out with a
 * diagnostic: another protocol on its port, a name taken within its Gateway, or, with httpsRedirect, a host taken.
 * Source: Istio `pilot/pkg/model/gateway.go`, mergeGateways.
 */
export function bindServers(workload: GatewayWorkload): {
  readonly byPort: ReadonlyMap<number, readonly BoundServer[]>;
  readonly diagnostics: readonly Diagnostic[];
} {
  const byPort = new Map<number, BoundServer[]>();
  const redirectHosts = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const gateway of workload.gateways) {
    const names = new Set<string>();
    for (const server of gateway.spec.servers) {
      const bindings = bindHosts(server.hosts, gateway.metadata.namespace);
      const reason =
        takenName(server, names) ??
        takenPort(server, byPort) ??
        takenHost({ server, gateway, bindings, redirectHosts });
      if (reason !== undefined) {
        diagnostics.push(dropped(gateway, server, reason));
        continue;
      }
      const list = byPort.get(server.port.number);
      const bound = { gateway: objectName(gateway), server, bindings };
      if (list === undefined) {
        byPort.set(server.port.number, [bound]);
      } else {
        list.push(bound);
      }
    }
  }
  return { byPort, diagnostics };
}

/** `./h` is the Gateway's namespace, `*` in front of the slash is every namespace, and any namespace with `*` all hosts. */
function bindHosts(hosts: readonly string[], namespace: string): readonly HostBinding[] {
  if (hosts.includes("*/*")) {
    return [{ namespace: undefined, host: "*" }];
  }
  return hosts.map((entry) => {
    const slash = entry.indexOf("/");
    if (slash === -1) {
      return { namespace: undefined, host: entry.toLowerCase() };
    }
    const scope = entry.slice(0, slash);
    const host = entry.slice(slash + 1).toLowerCase();
    if (scope === "*") {
      return { namespace: undefined, host };
    }
    return { namespace: scope === "." ? namespace : scope, host };
  });
}

const httpProtocols = new Set(["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"]);

function takenName(server: GatewayServer, names: Set<string>): string | undefined {
  // A server without a name of its own carries its port's name, which Istio does not compare here.
  if (server.name === server.port.name || server.name === "") {
    return undefined;
  }
  if (names.has(server.name)) {
    return `its Gateway has another server named ${server.name}`;
  }
  names.add(server.name);
  return undefined;
}

function takenPort(server: GatewayServer, byPort: ReadonlyMap<number, readonly BoundServer[]>): string | undefined {
  const first = byPort.get(server.port.number)?.[0];
  if (!httpProtocols.has(server.port.protocol.toUpperCase())) {
    return `it speaks ${server.port.protocol}, and only HTTP servers are served here`;
  }
  if (first !== undefined && (first.server.bind ?? "") !== (server.bind ?? "")) {
    return `port ${server.port.number} is already bound to ${first.server.bind ?? "every address"} by ${first.gateway}`;
  }
  return undefined;
}

function takenHost(options: {
  readonly server: GatewayServer;
  readonly gateway: GatewayManifest;
  readonly bindings: readonly HostBinding[];
  readonly redirectHosts: Map<string, string>;
}): string | undefined {
  const { server, gateway, bindings, redirectHosts } = options;
  if (!server.httpsRedirect) {
    return undefined;
  }
  const keys = bindings.map(({ namespace, host }) => `${server.port.number} ${namespace ?? "*"}/${host}`);
  const taken = keys.find((key) => redirectHosts.has(key));
  if (taken !== undefined) {
    return `${redirectHosts.get(taken)} already redirects one of its hosts on port ${server.port.number}`;
  }
  for (const key of keys) {
    redirectHosts.set(key, `Gateway ${objectName(gateway)}`);
  }
  return undefined;
}

function dropped(gateway: GatewayManifest, server: GatewayServer, reason: string): Diagnostic {
  return diagnostic("KIR1100", {
    message: `Server ${server.name} on port ${server.port.number} is dropped: ${reason}.`,
    resource: resourceName(gateway),
    at: server.at,
  });
}
