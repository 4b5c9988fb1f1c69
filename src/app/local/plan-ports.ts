import type { Listener } from "../../core/routes/route-table.ts";
import { checkPortsFree, type GatewayPorts, planGatewayPorts } from "../../local/ports.ts";
import type { SidecarPorts } from "../../local/sidecar-ports.ts";

export interface PortPlanning {
  readonly sidecarPorts: SidecarPorts;
  /** Values of `--gateway-port`. */
  readonly overrides: readonly string[];
  readonly listenAddress: string;
  /** Processes that may hold the ports already: the Envoy that runs. */
  readonly ownPids: readonly number[];
  /** What the running listeners have; undefined at a start. */
  readonly previous?: GatewayPorts | undefined;
}

/**
 * Decides where each listener is on this machine: those of gateways by their ports, those of workloads wherever there is
 * room and where they were before.
 * @throws KirikaeError KIR5010, KIR5011, KIR5012
 */
export async function planPorts(listeners: readonly Listener[], planning: PortPlanning): Promise<GatewayPorts> {
  const { sidecarPorts, overrides, previous, listenAddress, ownPids } = planning;
  const gateways = listeners.filter(({ role }) => role.kind === "gateway");
  const ports = planGatewayPorts(gateways, { overrides, previous });
  const fresh = gateways.filter(({ id }) => previous?.has(id) !== true);
  await checkPortsFree(fresh, { ports, address: listenAddress, ownPids });
  return new Map([...ports, ...(await sidecarPorts.plan(listeners, { taken: ports.values(), ownPids }))]);
}
