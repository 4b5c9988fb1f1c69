import type { SyncedType } from "../../core/site/read-sync.ts";
import type { ProxyStatus, ProxyTypeStatus } from "../../engine/ports.ts";
import type { ControlPlaneReading } from "./control-plane.ts";
import type { NeededProxy } from "./needed-proxies.ts";

const typeNames = ["cluster", "endpoint", "listener", "route"] as const;

/** Every proxy that istiod lists, and every gateway that should be connected and is not. */
export function renderSiteStatus(
  { proxies }: ControlPlaneReading,
  needed: readonly NeededProxy[],
): readonly ProxyStatus[] {
  const listed = [...proxies.values()].map(({ sync }): ProxyStatus => ({
    node: sync.proxy,
    connected: true,
    pid: undefined,
    types: typeNames.flatMap((type) => {
      const state = sync.types[type];
      return state === undefined ? [] : [renderType(`${type}s`, state)];
    }),
  }));
  const missing = needed
    .filter(({ id }) => !proxies.has(id))
    .map(({ id }): ProxyStatus => ({ node: id, connected: false, pid: undefined, types: [] }));
  return [...listed, ...missing].toSorted((left, right) => (left.node < right.node ? -1 : 1));
}

function renderType(type: string, { sent, acked, lastError }: SyncedType): ProxyTypeStatus {
  const isAcked = sent !== undefined && sent.nonce === acked?.nonce;
  return { type, sentVersion: sent?.version, ackedVersion: isAcked ? sent.version : undefined, nack: lastError };
}
