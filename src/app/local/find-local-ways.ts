import type { ProbeWays } from "../step-watch.ts";
import type { ManifestApplier } from "./apply-manifests.ts";

/** The listeners of the proxy that runs here. */
export function findLocalWays({
  current,
  listenAddress,
}: Pick<ManifestApplier, "current" | "listenAddress">): ProbeWays {
  return {
    locate(listener) {
      const port = current.ports.get(listener);
      return port === undefined ? "the gateway listens nowhere" : { address: listenAddress, port };
    },
    [Symbol.dispose]: () => {},
  };
}
