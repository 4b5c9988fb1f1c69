import type { EmitOptions } from "../../core/envoy/emit-envoy.ts";
import { readSystemTrust } from "../../local/system-trust.ts";
import type { GatewayPorts } from "../../local/ports.ts";
import type { WorkloadEndpoint } from "../../local/workloads.ts";

export interface LocalAddresses {
  readonly listenAddress: string;
  readonly ports: GatewayPorts;
  endpoints(localWorkload: string): readonly WorkloadEndpoint[];
}

/** Where the listeners and replicas of one table are on this machine. */
export function showAddresses(addresses: LocalAddresses): EmitOptions {
  const { listenAddress, ports } = addresses;
  return {
    systemTrust: readSystemTrust,
    bind(listener) {
      const port = ports.get(listener.id);
      if (port === undefined) throw new Error(`listener ${listener.id} has no local port`);
      return { address: listenAddress, port };
    },
    endpoints: (localWorkload) =>
      addresses
        .endpoints(localWorkload)
        .map(({ host, port, replica, ready }) => ({ address: host, port, replica, isUnready: !ready })),
  };
}
