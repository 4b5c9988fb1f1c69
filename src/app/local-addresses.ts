import type { HostPort } from "../core/envoy/endpoints.ts";
import type { Listener } from "../core/routes/route-table.ts";
import type { GatewayPorts } from "../local/ports.ts";
import type { WorkloadEndpoint } from "../local/workloads.ts";

export interface ShownAddresses {
  readonly ports: GatewayPorts;
  endpoints(localWorkload: string): readonly WorkloadEndpoint[];
}

/** Where things are on this machine, as the proxies are told; swapped whole when manifests change. */
export class LocalAddresses {
  readonly #listenAddress: string;
  #shown: ShownAddresses = { ports: new Map(), endpoints: () => [] };

  constructor(listenAddress: string) {
    this.#listenAddress = listenAddress;
  }

  show(shown: ShownAddresses): void {
    this.#shown = shown;
  }

  readonly bind = (listener: Listener): HostPort => {
    const port = this.#shown.ports.get(listener.id);
    if (port === undefined) throw new Error(`listener ${listener.id} has no local port`);
    return { address: this.#listenAddress, port };
  };

  /** Only replicas that are ready. */
  readonly endpoints = (localWorkload: string): readonly HostPort[] =>
    this.#shown
      .endpoints(localWorkload)
      .filter(({ ready }) => ready)
      .map(({ host, port }) => ({ address: host, port }));
}
