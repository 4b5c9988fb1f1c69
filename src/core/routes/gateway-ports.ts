import type { ServiceManifest } from "../manifest/manifest.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { isSubset } from "./gateway-workloads.ts";
import type { RouteClient } from "./route-client.ts";

const optOut = "experimental.istio.io/disable-gateway-port-translation";

/**
 * Which port of its pods each port number of a gateway workload's servers stands for. A number that is a port of a
 * Service in front of the pods means that Service's target port, of several Services the oldest one's; any other
 * number is the pods' own port. Servers that end at one port of the pods share a listener, whatever number they name.
 * Source: Istio `pilot/pkg/model/gateway.go`, resolvePorts.
 */
export function createPortTranslation(mesh: Pick<Mesh, "manifests">, client: RouteClient): (number: number) => number {
  const services = mesh.manifests.filter(
    (manifest): manifest is ServiceManifest => manifest.kind === "Service" && isInFront(manifest, client),
  );
  const targets = new Map<number, number>();
  for (const { number, targetPort } of services.flatMap(({ spec }) => spec.ports)) {
    // A target port with a name is a container's, and the number that the Service itself has stands in for it.
    if (!targets.has(number)) targets.set(number, typeof targetPort === "number" ? targetPort : number);
  }
  return (number) => targets.get(number) ?? number;
}

function isInFront({ metadata, spec }: ServiceManifest, client: RouteClient): boolean {
  return (
    metadata.namespace === client.namespace &&
    Object.keys(spec.selector).length > 0 &&
    isSubset(spec.selector, client.labels) &&
    metadata.labels[optOut] === undefined
  );
}
