import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

/**
 * TCP ports of ServiceEntries without addresses (IST0134): a TCP connection carries no host name to tell hosts apart.
 * Source: Istio `pkg/config/analysis/analyzers/serviceentry/protocoladdresses.go`.
 */
export function checkEntryAddresses(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  if (mesh.manifests.some((manifest) => manifest.kind === "MeshConfig" && manifest.spec.allocatesAddresses === true)) {
    return [];
  }
  return mesh.manifests
    .filter((manifest) => manifest.kind === "ServiceEntry")
    .filter(({ spec }) => spec.addresses.length === 0 && spec.hasAllocatedAddresses !== true)
    .flatMap((entry) =>
      entry.spec.ports
        .filter(({ protocol }) => protocol === "" || protocol.toUpperCase() === "TCP")
        .map((port) =>
          diagnostic("KIR1216", {
            message: `Port ${port.number} speaks TCP, and without addresses proxies take every connection to port ${port.number} for one to ${entry.spec.hosts[0] ?? "this host"}.`,
            hint: "Give the ServiceEntry addresses, or the port a protocol that carries the host, such as HTTP or TLS.",
            resource: resourceName(entry),
            at: port.at,
          }),
        ),
    );
}
