import { setTimeout as delay } from "node:timers/promises";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { XdsServer } from "../../xds/server.ts";
import type { ConnectedProxy, ProxySet } from "./proxy-set.ts";
import { waitForConnection } from "./settlement.ts";

type RuntimeValuesByKey = ReadonlyMap<string, string>;

const pollMs = 100;

/**
 * The runtime values of every Envoy that ran before this process, once it is connected. One that neither answers nor is
 * connected does not run, and has none.
 * @throws KirikaeError KIR3004 for one that is connected, and so serves, and does not say in time with which weights.
 */
export async function readRuntimes(
  server: XdsServer,
  proxies: ProxySet,
  deadlineMs: number,
): Promise<readonly RuntimeValuesByKey[]> {
  const found = await Promise.all(proxies.all.map((proxy) => readRuntime(server, proxy, deadlineMs)));
  return found.filter((runtime) => runtime !== undefined);
}

async function readRuntime(
  server: XdsServer,
  { node, admin }: ConnectedProxy,
  deadlineMs: number,
): Promise<RuntimeValuesByKey | undefined> {
  for (;;) {
    const leftMs = Math.max(1, deadlineMs - performance.now());
    try {
      const runtime = await admin.runtime(leftMs);
      await waitForConnection(server, node, deadlineMs);
      return runtime;
    } catch (error) {
      if (!(error instanceof KirikaeError) || error.code !== "KIR3004") throw error;
      if (!server.connected.includes(node)) return undefined;
      if (performance.now() > deadlineMs) throw error;
      await delay(pollMs);
    }
  }
}
