import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { type GatewayManifest, resourceName } from "../manifest/manifest.ts";
import { selectorKey } from "./gateway-pods.ts";
import { selects } from "./label-index.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Gateways of one workload with the same certificate (IST0138). A browser reuses its HTTP/2 connection for every host
 * of a certificate, and a proxy looks a host up in the server alone that the connection belongs to.
 * Source: Istio `pkg/config/analysis/analyzers/gateway/certificate.go`.
 */
export function checkSharedCertificates(mesh: Pick<Mesh, "gateways">): readonly Diagnostic[] {
  const users = new Map<string, Set<GatewayManifest>>();
  for (const gateway of mesh.gateways) {
    for (const key of gateway.spec.servers.flatMap(certificateKeys)) {
      users.set(key, (users.get(key) ?? new Set()).add(gateway));
    }
  }
  return [...users.values()].flatMap(compareGateways);
}

/** What a server's certificate is known by: the name of its Secret, or its files. */
export function certificateKeys({ tls }: GatewayServer): readonly string[] {
  if (tls === undefined) {
    return [];
  }
  return tls.credentialNames.length > 0
    ? tls.credentialNames
    : tls.certificateFiles.map(({ serverCertificate, privateKey }) => JSON.stringify([serverCertificate, privateKey]));
}

/** A Gateway is told of those that every workload of its own plays too: their selectors ask for no less. */
function compareGateways(users: ReadonlySet<GatewayManifest>): readonly Diagnostic[] {
  const bySelector = Map.groupBy(users, (gateway) => selectorKey(gateway.spec.selector));
  const groups = [...bySelector.values()];
  return groups.flatMap((group) => {
    const [first] = group;
    const sharers = groups.filter(
      (other) => first !== undefined && other[0] !== undefined && selects(first.spec.selector, other[0].spec.selector),
    );
    const total = sharers.reduce((sum, { length }) => sum + length, 0);
    const some = sharers.flatMap((other) => other.slice(0, 6));
    return total < 2 ? [] : group.map((gateway) => reportShared(gateway, some, total - 1));
  });
}

function reportShared(gateway: GatewayManifest, some: readonly GatewayManifest[], count: number): Diagnostic {
  const names = some.filter((other) => other !== gateway).map((other) => resourceName(other));
  const others = count > 5 ? `${names.slice(0, 5).join(", ")} and ${count - 5} more` : listNames(names);
  return diagnostic("KIR1204", {
    message: `It has the same certificate as ${others}: a browser that is connected to one of them asks there for hosts of the other, and gets 404.`,
    hint: "Put all hosts of the certificate into one server, or give each Gateway a certificate of its own.",
    resource: resourceName(gateway),
    at: gateway.spec.servers.find(({ tls }) => tls !== undefined)?.at ?? gateway.at,
  });
}
