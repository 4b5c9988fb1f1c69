import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { coversHost } from "../manifest/host-pattern.ts";
import { type GatewayManifest, resourceName } from "../manifest/manifest.ts";
import { certificateKeys } from "./check-shared-certificates.ts";
import { type GatewayPods, selectorKey } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";
import type { SecretDirectory } from "./secret-directory.ts";

interface TlsServer {
  readonly gateway: GatewayManifest;
  readonly server: GatewayServer;
}

interface Surroundings {
  readonly pods: GatewayPods;
  readonly secrets: SecretDirectory;
}

/**
 * Hosts of a TLS server that the certificate of another server on the same port covers too. A browser may ask for them
 * over its connection to that other server, which answers 404 because Envoy has no 421. istioctl looks only at
 * certificates that two Gateways share; here it is the names in the certificate that count, where its Secret is given.
 */
export function checkCertificateReach(mesh: Pick<Mesh, "gateways">, surroundings: Surroundings): readonly Diagnostic[] {
  const servers = mesh.gateways.flatMap((gateway) =>
    gateway.spec.servers.filter(isTerminating).map((server) => ({ gateway, server })),
  );
  const groups = Map.groupBy(servers, ({ gateway, server }) =>
    JSON.stringify([selectorKey(gateway.spec.selector), server.bind, server.port.number]),
  );
  return [...groups.values()]
    .filter(({ length }) => length > 1)
    .flatMap((group) => compareServers(group, surroundings));
}

function isTerminating({ tls, port }: GatewayServer): boolean {
  const mode = tls?.mode ?? "PASSTHROUGH";
  return port.protocol === "HTTPS" && mode !== "PASSTHROUGH" && mode !== "AUTO_PASSTHROUGH";
}

function compareServers(group: readonly TlsServer[], surroundings: Surroundings): readonly Diagnostic[] {
  const owners = new Map<string, TlsServer>();
  for (const entry of group) {
    for (const name of namesIn(entry, surroundings)) {
      owners.set(name, owners.get(name) ?? entry);
    }
  }
  const findings: Diagnostic[] = [];
  for (const entry of group) {
    for (const host of plainHosts(entry.server)) {
      const owner = [host, parentWildcard(host)].map((name) => owners.get(name)).find((other) => other !== undefined);
      if (owner !== undefined && owner !== entry && !isShared(entry, owner) && !serves(owner.server, host)) {
        findings.push(reportReach(entry, owner, host));
        break;
      }
    }
  }
  return findings;
}

/** What two Gateways share is told as that, with Istio's code. */
function isShared(left: TlsServer, right: TlsServer): boolean {
  const keys = certificateKeys(left.server);
  return left.gateway !== right.gateway && certificateKeys(right.server).some((key) => keys.includes(key));
}

function serves(server: GatewayServer, host: string): boolean {
  return plainHosts(server).some((pattern) => coversHost(pattern, host));
}

function plainHosts(server: GatewayServer): readonly string[] {
  return server.hosts.map((host) => host.slice(host.indexOf("/") + 1).toLowerCase());
}

/** The wildcard of a certificate stands for one label: `*.b.c` for `a.b.c`. */
function parentWildcard(host: string): string {
  return `*${host.slice(host.indexOf("."))}`;
}

function reportReach({ gateway, server }: TlsServer, owner: TlsServer, host: string): Diagnostic {
  const place = `server ${owner.server.name} of ${resourceName(owner.gateway)} (${renderPosition(owner.server.at)})`;
  return diagnostic("KIR1205", {
    message: `The certificate of ${place} covers "${host}" too, so a browser that is connected there may ask it for this host and get 404.`,
    hint: "Serve both hosts from one server, or give that server a certificate for its own hosts only.",
    resource: resourceName(gateway),
    at: server.at,
  });
}

/** The names in the certificates of a server, where their Secrets are given. */
function namesIn({ gateway, server }: TlsServer, { pods, secrets }: Surroundings): readonly string[] {
  return (server.tls?.credentialNames ?? []).flatMap((name) => {
    const secret = secrets.find(name, pods.namespacesOf(gateway));
    return secret === undefined ? [] : (secrets.certificatesOf(secret)?.[0]?.dnsNames ?? []);
  });
}
