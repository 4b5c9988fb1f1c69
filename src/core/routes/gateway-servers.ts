import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { objectName, resourceName, type GatewayManifest } from "../manifest/manifest.ts";
import type { GatewayWorkload } from "./gateway-workloads.ts";

/** A server of a Gateway with its host bindings resolved. */
export interface BoundServer {
  /** `namespace/name`. */
  readonly gateway: string;
  /** `Kind namespace/name` of the object that it is written in. */
  readonly resource: string;
  readonly server: GatewayServer;
  readonly bindings: readonly HostBinding[];
}

export interface HostBinding {
  /** Only VirtualServices of this namespace; undefined takes all. */
  readonly namespace: string | undefined;
  /** Lower case. */
  readonly host: string;
}

/** Servers that share one port of the pods and one address. */
export interface BoundListener {
  /** As URLs name it: the port of a Service in front of the pods where one leads here, else the port of the pods. */
  readonly port: number;
  readonly bind: string | undefined;
  /** `tls` servers are told apart by the name that a client asks for; `http` ones share virtual hosts; `tcp` is one. */
  readonly carries: "http" | "tls" | "tcp";
  readonly servers: readonly BoundServer[];
  /** Plain text where `carries` is `tls`: it takes what comes without a name that some TLS server has. */
  readonly beside: PlainServers | undefined;
}

export interface PlainServers {
  readonly carries: "http" | "tcp";
  readonly servers: readonly BoundServer[];
}

/**
 * The servers of a workload by the listener that they share, in Istio's order. A server that an older one excludes is
 * left out with a diagnostic: another protocol on its port and address, a second plain TCP server there, or, with TLS
 * or httpsRedirect, a host that is taken. Plain text may follow TLS on a port, and nothing but the same may follow then.
 * Source: Istio `pilot/pkg/model/gateway.go`, mergeGateways.
 */
export function bindServers(
  workload: GatewayWorkload,
  translatePort: (number: number) => number,
): { readonly listeners: readonly BoundListener[]; readonly diagnostics: readonly Diagnostic[] } {
  const drafts = new Map<string, Draft>();
  const hosts: TakenHosts = new Map();
  const diagnostics: Diagnostic[] = [];
  for (const gateway of workload.gateways) {
    for (const server of gateway.spec.servers) {
      const target = translatePort(server.port.number);
      const bindings = bindHosts(server.hosts, gateway.metadata.namespace);
      const key = `${server.bind ?? ""} ${target}`;
      const draft = drafts.get(key);
      const reason =
        whyUnserved(server) ??
        takenHost({ server, gateway, bindings, hosts, key }) ??
        (draft === undefined ? undefined : takenPort(server, gateway, draft));
      if (reason !== undefined) {
        diagnostics.push(dropped(gateway, server, reason));
        continue;
      }
      const bound = { gateway: objectName(gateway), resource: resourceName(gateway), server, bindings };
      if (draft === undefined) {
        drafts.set(key, { target, carries: carriesOf(server), servers: [bound], beside: undefined });
      } else {
        addServer(draft, bound);
      }
    }
  }
  return { listeners: [...drafts.values()].map(describeDraft).toSorted(byPort), diagnostics };
}

interface Draft {
  /** The port of the pods. */
  readonly target: number;
  readonly carries: BoundListener["carries"];
  readonly servers: BoundServer[];
  beside: { readonly carries: PlainServers["carries"]; readonly servers: BoundServer[] } | undefined;
}

function addServer(draft: Draft, bound: BoundServer): void {
  const carries = carriesOf(bound.server);
  if (draft.carries !== "tls" || carries === "tls") {
    draft.servers.push(bound);
  } else if (draft.beside === undefined) {
    draft.beside = { carries, servers: [bound] };
  } else {
    draft.beside.servers.push(bound);
  }
}

function describeDraft({ target, carries, servers, beside }: Draft): BoundListener {
  const numbers = servers.map(({ server }) => server.port.number);
  const port = numbers.find((number) => number !== target) ?? target;
  return { port, bind: servers[0]?.server.bind, carries, servers, beside };
}

function byPort(left: BoundListener, right: BoundListener): number {
  return left.port - right.port || ((left.bind ?? "") < (right.bind ?? "") ? -1 : 1);
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

function carriesOf({ port, tls }: GatewayServer): BoundListener["carries"] {
  if (httpProtocols.has(port.protocol.toUpperCase())) return "http";
  return tls === undefined ? "tcp" : "tls";
}

/** What no listener on this machine can do, whoever else is on the port. */
function whyUnserved({ port, bind }: GatewayServer): string | undefined {
  if (port.protocol.toUpperCase() === "UDP") return "it speaks UDP, and only TCP is served";
  return bind?.startsWith("unix:") === true ? "it is bound to a Unix socket, which is not served here" : undefined;
}

function takenPort(server: GatewayServer, gateway: GatewayManifest, draft: Draft): string | undefined {
  const carries = carriesOf(server);
  if (draft.carries === "tls" && draft.beside === undefined && carries !== "tls") return undefined;
  const present = draft.beside ?? draft;
  const first = present.servers[0];
  const owner = `server ${first?.server.name ?? ""} of Gateway ${first?.gateway ?? ""}`;
  if (carries !== present.carries) {
    return `${owner} has port ${server.port.number} already and speaks ${first?.server.port.protocol ?? ""} there`;
  }
  if (carries === "tcp") {
    return `${owner} has port ${server.port.number} already, and plain TCP servers cannot be told apart`;
  }
  // Servers of one Gateway come one after the other.
  const others = draft.servers.slice(-gateway.spec.servers.length);
  const isNamesake = others.some(
    (other) => other.gateway === objectName(gateway) && other.server.port.name === server.port.name,
  );
  return carries === "tls" && isNamesake
    ? `its Gateway has another server with the port name ${server.port.name}`
    : undefined;
}

/** Names and who took them, by listener; names as Istio compares them, and names as a client asks for them. */
type TakenHosts = Map<string, string>;

function takenHost(options: {
  readonly server: GatewayServer;
  readonly gateway: GatewayManifest;
  readonly bindings: readonly HostBinding[];
  readonly hosts: TakenHosts;
  readonly key: string;
}): string | undefined {
  const { server, gateway, bindings, hosts, key } = options;
  if (server.tls === undefined && !server.httpsRedirect) {
    return undefined;
  }
  // Filter chains have names without namespaces, so the same name twice would make a proxy refuse the listener.
  const names = new Set(
    bindings.map(({ namespace, host }) => (server.tls === undefined ? `${namespace ?? "*"}/${host}` : host)),
  );
  const taken = [...names].find((name) => hosts.has(`${key} ${name}`));
  if (taken !== undefined) {
    return `${hosts.get(`${key} ${taken}`)} has its host ${taken} on port ${server.port.number} already`;
  }
  for (const name of names) {
    hosts.set(`${key} ${name}`, `Gateway ${objectName(gateway)}`);
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
