import type { XdsServer } from "../../xds/server.ts";
import type { ConnectedProxy } from "./proxy-set.ts";
import type { PushedState } from "./pushed-state.ts";
import { waitForTypes } from "./settlement.ts";
import { proveRuntime } from "./weight-push.ts";

export interface RouteRewrite {
  readonly server: XdsServer;
  readonly state: PushedState;
  readonly proxies: readonly ConnectedProxy[];
}

const rewriteTimeoutMs = 30_000;

/**
 * Writes the weights of the runtime layer into the route configuration, and then empties the layer. Both say the same
 * all the while, so that traffic does not notice; the layer is emptied only after every worker has the routes.
 * @returns what went wrong; then the layer stays as it is
 */
export async function rewriteRoutes({ server, state, proxies }: RouteRewrite): Promise<string | undefined> {
  if (state.layer.size === 0) return undefined;
  const before = state.snapshot.routes;
  const startMs = performance.now();
  const deadlineMs = startMs + rewriteTimeoutMs;
  state.publish({ routes: state.buildRoutes() });
  const settled = await Promise.all(
    proxies.map(({ node }) => waitForTypes(server, node, { types: ["routes"], deadlineMs })),
  );
  const refusal = settled.find((settlement) => settlement.kind === "refused");
  if (refusal !== undefined) {
    state.publish({ routes: before });
    return `${refusal.node} refused the rewritten routes ${refusal.resource}: ${refusal.message}`;
  }
  const late = settled.find((settlement) => settlement.kind === "waiting");
  if (late !== undefined) return `${late.node} did not confirm the rewritten routes in time`;
  state.publishRuntime(new Map());
  const report = await proveRuntime({ server, state, proxies, startMs, deadlineMs });
  return report.kind === "proved" ? undefined : `the rewritten routes are not proved: ${report.message}`;
}
