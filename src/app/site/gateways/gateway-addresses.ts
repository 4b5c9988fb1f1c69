import type { GatewayAddress } from "../../../api/types.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import { findGatewayService, loadBalancerOf, selectorOf } from "../objects/gateway-service.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

/**
 * Where the port of a Gateway's server is reached: at the load balancer of the Service that selects the same pods, or at
 * that Service inside the cluster. A Gateway without a Service says the labels of its pods.
 */
export function locateGateways(
  site: Pick<SiteObjects, "objects" | "object">,
): (server: Pick<GatewayAddress, "gateway" | "port">) => string {
  return ({ gateway, port }) => {
    const [namespace = "", name = ""] = gateway.split("/");
    const selector = selectorOf(site.object(kubeKinds.gateway, { namespace, name }));
    const found = findGatewayService(site, { selector, port });
    if (found === undefined) {
      return `pods ${Object.entries(selector)
        .map((each) => each.join("="))
        .join(",")} port ${port}`;
    }
    const { metadata } = found;
    return `${loadBalancerOf(found) ?? `${metadata.name}.${metadata.namespace ?? "default"}`}:${port}`;
  };
}
