import type { SyncedType } from "../../core/site/read-sync.ts";
import type { ProxyStatus, ProxyTypeStatus } from "../../engine/ports.ts";
import type { ControlPlaneReading } from "./control-plane.ts";
import type { NeededProxy } from "./needed-proxies.ts";

const typeNames = ["cluster", "endpoint", "listener", "route"] as const;

/**
 * Every proxy that istiod lists, and every gateway that should be connected and is not. While a replica of istiod does not
 * answer, nobody knows whether they are connected to that one.
 */
export function renderSiteStatus(
  controlPlane: ControlPlaneReading,
  needed: readonly NeededProxy[],
): readonly ProxyStatus[] {
  const { proxies } = controlPlane;
  const unknown = findSilence(controlPlane);
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
    .map(({ id }): ProxyStatus => ({
      node: id,
      connected: false,
      pid: undefined,
      types: [],
      ...(unknown !== undefined && { unknown }),
    }));
  return [...listed, ...missing].toSorted((left, right) => (left.node < right.node ? -1 : 1));
}

/** Why not all proxies are known, in words; undefined where every replica has told its own. */
export function findSilence({ answered, silent }: ControlPlaneReading): string | undefined {
  if (answered.length + silent.size === 0) return "no istiod was found";
  const replicas = [...silent].map(([name, why]) => `istiod ${name} does not answer (${why})`);
  return replicas.length === 0 ? undefined : replicas.join("; ");
}

function renderType(type: string, { sent, acked, lastError }: SyncedType): ProxyTypeStatus {
  const isAcked = sent !== undefined && sent.nonce === acked?.nonce;
  return { type, sentVersion: sent?.version, ackedVersion: isAcked ? sent.version : undefined, nack: lastError };
}
