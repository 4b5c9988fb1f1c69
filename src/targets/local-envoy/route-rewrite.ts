import type { XdsServer } from "../../xds/server.ts";
import type { ConnectedProxy } from "./proxy-set.ts";
import type { PushedState } from "./pushed-state.ts";
import { waitForTypes } from "./settlement.ts";
import { proveRuntime } from "./weight-push.ts";

export interface RouteRewrite {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: readonly ConnectedProxy[];
  /** 30 s where it is not given. */
  readonly timeoutMs?: number;
}

/** The layer is empty after "done" only. What was late may come true later; what was refused would be refused again. */
export type RewriteOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "late"; readonly message: string };

const rewriteTimeoutMs = 30_000;
const shortestPauseMs = 2_000;
const rewrittenBytesPerMs = 5_000;
const pausesPerRewrite = 100;

/**
 * How long nothing must have moved before the routes are rewritten. A rewrite keeps Envoy's main thread busy for about a
 * millisecond for every 5 kB (measured: 0.6 to 1.4 s with 10,000 hosts), and a move that comes then has to wait. So the
 * pause is a hundred times as long as the rewrite: seconds for a small mesh, minutes for a large one, and moves that come
 * more often put it off for ever. Nothing depends on it: weights in the runtime layer count as much, a proxy that
 * connects anew is given routes that have them, and all that a layer costs is its bytes in every push, which grow
 * with the splits that were moved since, and not with those that there are.
 * @param routeBytes the size of all route configurations
 */
export function rewriteDelayMs(routeBytes: number): number {
  return shortestPauseMs + (pausesPerRewrite * routeBytes) / rewrittenBytesPerMs;
}

/**
 * Writes the weights of the runtime layer into the route configuration, and then empties the layer. Both say the same
 * all the while, so that traffic does not notice; the layer is emptied only after the routes were confirmed, and workers
 * get the two in this order. It is put back when not every worker was seen to have them.
 */
export async function rewriteRoutes(rewrite: RouteRewrite): Promise<RewriteOutcome> {
  const { server, state, proxies } = rewrite;
  const { layer } = state;
  if (layer.size === 0) return { kind: "done" };
  const before = state.snapshot.routes;
  const startMs = performance.now();
  const deadlineMs = startMs + (rewrite.timeoutMs ?? rewriteTimeoutMs);
  state.publish({ routes: state.buildRoutes() });
  const settled = await Promise.all(
    proxies.map(({ node }) => waitForTypes(server, node, { types: ["routes"], deadlineMs })),
  );
  const refusal = settled.find((settlement) => settlement.kind === "refused");
  if (refusal !== undefined) {
    state.publish({ routes: before });
    const message = `${refusal.node} refused the rewritten routes ${refusal.resource}: ${refusal.message}`;
    return { kind: "refused", message };
  }
  const late = settled.find((settlement) => settlement.kind === "waiting");
  if (late !== undefined) {
    return { kind: "late", message: `${late.node} did not confirm the rewritten routes in time` };
  }
  state.publishRuntime(new Map());
  const report = await proveRuntime({ server, state, proxies, startMs, deadlineMs });
  if (report.kind === "proved") return { kind: "done" };
  state.publishRuntime(layer);
  return { kind: "late", message: `the rewritten routes are not proved: ${report.message}` };
}
