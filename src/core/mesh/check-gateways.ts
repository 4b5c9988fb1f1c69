import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { type GatewayManifest, objectName, resourceName } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

interface Claim {
  readonly gateway: GatewayManifest;
  readonly server: GatewayServer;
}

/** Two Gateways of one gateway workload that claim the same port and host (IST0145). */
export function checkGateways(mesh: Mesh): readonly Diagnostic[] {
  const claims = new Map<string, Claim>();
  const diagnostics: Diagnostic[] = [];
  for (const gateway of mesh.gateways) {
    const reported = new Set<string>();
    for (const server of gateway.spec.servers) {
      for (const host of server.hosts) {
        const key = claimKey(gateway, server, host);
        const first = claims.get(key);
        if (first === undefined) {
          claims.set(key, { gateway, server });
        } else if (first.gateway !== gateway && !reported.has(objectName(first.gateway))) {
          reported.add(objectName(first.gateway));
          diagnostics.push(reportClaim({ gateway, server }, first, host));
        }
      }
    }
  }
  return diagnostics;
}

function claimKey(gateway: GatewayManifest, server: GatewayServer, host: string): string {
  const selector = Object.entries(gateway.spec.selector).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([selector, server.port.number, server.bind ?? "", fullHost(host, gateway)]);
}

/** `./host` is one with its own namespace, and `*` before the slash is the same as nothing. */
function fullHost(host: string, gateway: GatewayManifest): string {
  const lower = host.toLowerCase();
  if (lower.startsWith("./")) {
    return `${gateway.metadata.namespace}/${lower.slice(2)}`;
  }
  return lower.startsWith("*/") ? lower.slice(2) : lower;
}

function reportClaim({ gateway, server }: Claim, first: Claim, host: string): Diagnostic {
  const other = `${resourceName(first.gateway)} (${renderPosition(first.server.at)})`;
  return diagnostic("KIR1029", {
    message: `Port ${server.port.number} with host "${host}" is claimed by ${other} with the same selector too.`,
    hint: "The rules of both are merged; keep one Gateway, or give them different hosts.",
    resource: resourceName(gateway),
    at: server.at,
  });
}
