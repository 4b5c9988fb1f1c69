import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import type { GatewayServer } from "../manifest/gateway.ts";
import { type GatewayManifest, objectName, resourceName } from "../manifest/manifest.ts";
import { isHttpProtocol } from "../manifest/names.ts";
import { type GatewayPods, selectorKey } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";

interface Claim {
  readonly gateway: GatewayManifest;
  readonly server: GatewayServer;
}

/**
 * Gateways of the same pods that claim the same port and host (IST0145); each of them is told, as istioctl does.
 * Source: Istio `pkg/config/analysis/analyzers/gateway/conflictinggateway.go`.
 */
export function checkGateways(mesh: Mesh, pods: GatewayPods): readonly Diagnostic[] {
  const neighbours = relateSelectors(mesh.gateways, pods);
  const claims = new Map<string, Claim[]>();
  for (const gateway of mesh.gateways) {
    const selector = selectorKey(gateway.spec.selector);
    for (const server of gateway.spec.servers) {
      for (const host of server.hosts) {
        addTo(claims, claimKey(selector, { gateway, server }, host), { gateway, server });
      }
    }
  }
  return mesh.gateways.flatMap((gateway) => {
    const selectors = neighbours.get(selectorKey(gateway.spec.selector)) ?? new Set();
    return gateway.spec.servers.flatMap((server) => {
      const others = findOthers({ gateway, server }, selectors, claims);
      return others.length === 0 ? [] : [reportClaim({ gateway, server }, others)];
    });
  });
}

/** How many Gateways in conflict are looked at for one host; more would not make the message better. */
const comparedAtMost = 20;

function findOthers(
  claim: Claim,
  selectors: ReadonlySet<string>,
  claims: ReadonlyMap<string, readonly Claim[]>,
): readonly Claim[] {
  const others = new Map<GatewayManifest, Claim>();
  for (const selector of selectors) {
    for (const host of claim.server.hosts) {
      for (const other of (claims.get(claimKey(selector, claim, host)) ?? []).slice(0, comparedAtMost)) {
        if (other.gateway !== claim.gateway) {
          others.set(other.gateway, other);
        }
      }
    }
  }
  return [...others.values()];
}

/** For each selector the selectors that select some of the same pods, itself included. */
function relateSelectors(
  gateways: readonly GatewayManifest[],
  pods: GatewayPods,
): ReadonlyMap<string, ReadonlySet<string>> {
  const bySelector = new Map(gateways.map((gateway) => [selectorKey(gateway.spec.selector), gateway] as const));
  const selectorsOfPod = new Map<object, string[]>();
  const related = new Map<string, Set<string>>();
  for (const [selector, gateway] of bySelector) {
    related.set(selector, new Set([selector]));
    for (const pod of pods.find(gateway)) {
      addTo(selectorsOfPod, pod, selector);
    }
  }
  // Many pods have the same selectors, and comparing those once is enough.
  const groups = new Map([...selectorsOfPod.values()].map((selectors) => [JSON.stringify(selectors), selectors]));
  for (const selectors of groups.values()) {
    for (const selector of selectors) {
      for (const other of selectors) {
        related.get(selector)?.add(other);
      }
    }
  }
  return related;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) {
    lists.set(key, [value]);
  } else {
    list.push(value);
  }
}

function claimKey(selector: string, { gateway, server }: Claim, host: string): string {
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

function reportClaim({ gateway, server }: Claim, others: readonly Claim[]): Diagnostic {
  const names = listNames(others.map((other) => objectName(other.gateway)).toSorted(), 5);
  const areAllHttp = [server, ...others.map((other) => other.server)].every(
    (each) => isHttpProtocol(each.port.protocol) && each.tls === undefined,
  );
  const effect = areAllHttp
    ? "their rules become one list"
    : "only the oldest server counts, and the others are dropped";
  return diagnostic("KIR1029", {
    message: `Port ${server.port.number} with the hosts ${listNames(server.hosts, 5)} is claimed for the same pods by Gateway ${names} too: ${effect}.`,
    hint: "Keep one Gateway for a host and port and bind every VirtualService to it, or give them different hosts.",
    resource: resourceName(gateway),
    at: server.at,
  });
}
