import type { ResourceType } from "../../xds/resource-types.ts";
import type { XdsServer } from "../../xds/server.ts";
import type { Nack } from "../../xds/subscription.ts";

/** What became of a push on one proxy. Times of `performance.now()`. */
export type Settlement =
  | { readonly kind: "settled"; readonly node: string; readonly atMs: number }
  | { readonly kind: "refused"; readonly node: string; readonly resource: string; readonly message: string }
  | { readonly kind: "waiting"; readonly node: string };

export interface TypesWait {
  readonly types: readonly ResourceType[];
  readonly deadlineMs: number;
  /** Whether to wait on, because the proxy is still to be told of what makes its refusal pointless. */
  readonly outlastsRefusals?: boolean;
}

/** Waits until a proxy uses everything of these types that it asked for and all that there is. */
export function waitForTypes(server: XdsServer, node: string, wait: TypesWait): Promise<Settlement> {
  return waitFor(server, wait.deadlineMs, () => {
    let isSettled = true;
    for (const type of wait.types) {
      const state = server.proxyState(node, type);
      if (state?.refusal !== undefined && wait.outlastsRefusals !== true) return refused(node, state.refusal);
      isSettled &&= state !== undefined && state.isSettled && server.hasAckedAll(node, type);
    }
    return isSettled ? { kind: "settled", node, atMs: performance.now() } : { kind: "waiting", node };
  });
}

/** Waits until a proxy uses one very version of a resource. */
export function waitForResource(
  server: XdsServer,
  node: string,
  wait: {
    readonly type: ResourceType;
    readonly resource: { readonly name: string; readonly version: string };
    readonly deadlineMs: number;
  },
): Promise<Settlement> {
  return waitFor(server, wait.deadlineMs, () => {
    if (server.hasAcked(node, wait.type, wait.resource)) return { kind: "settled", node, atMs: performance.now() };
    const refusal = server.proxyState(node, wait.type)?.refusal;
    return refusal === undefined ? { kind: "waiting", node } : refused(node, refusal);
  });
}

/** Waits until a proxy is connected. */
export function waitForConnection(server: XdsServer, node: string, deadlineMs: number): Promise<Settlement> {
  return waitFor(server, deadlineMs, () =>
    server.connected.includes(node) ? { kind: "settled", node, atMs: performance.now() } : { kind: "waiting", node },
  );
}

function waitFor(server: XdsServer, deadlineMs: number, check: () => Settlement): Promise<Settlement> {
  return new Promise((resolve) => {
    const now = check();
    if (now.kind !== "waiting" || server.isClosed) {
      resolve(now);
      return;
    }
    const end = (settlement: Settlement): void => {
      watching[Symbol.dispose]();
      clearTimeout(timer);
      resolve(settlement);
    };
    const watching = server.watch(() => {
      const next = check();
      if (next.kind !== "waiting" || server.isClosed) end(next);
    });
    const timer = setTimeout(() => end(check()), Math.max(0, deadlineMs - performance.now()));
  });
}

/** Envoy names the resource in its message; where it does not, all of the refused response are named. */
function refused(node: string, nack: Nack): Settlement {
  const named = nack.resources.filter((name) => nack.message.includes(name));
  const suspects = named.length > 0 ? named : nack.resources;
  const shown = suspects.slice(0, 3).join(", ");
  const resource = suspects.length > 3 ? `${shown} and ${suspects.length - 3} more` : shown;
  return { kind: "refused", node, resource, message: nack.message };
}
