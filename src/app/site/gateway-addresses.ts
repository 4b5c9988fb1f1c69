import type { GatewayAddress } from "../../api/types.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { SiteObjects } from "./site-objects.ts";

type Labels = Readonly<Record<string, string>>;

/** The part of a Service that says where it is reached from outside. */
interface Addressed {
  readonly spec?: {
    readonly selector?: Labels;
    readonly externalIPs?: readonly string[];
    readonly ports?: readonly { readonly port: number }[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

/**
 * Where the port of a Gateway's server is reached: at the load balancer of the Service that selects the same pods, or at
 * that Service inside the cluster. A Gateway without a Service says the labels of its pods.
 */
export function locateGateways(
  site: Pick<SiteObjects, "objects" | "object">,
): (server: Pick<GatewayAddress, "gateway" | "port">) => string {
  const services = site.objects(kubeKinds.service);
  return ({ gateway, port }) => {
    const [namespace = "", name = ""] = gateway.split("/");
    const selector = selectorOf(site.object(kubeKinds.gateway, { namespace, name }));
    const found = services.find((service) => serves(service, selector, port));
    if (found === undefined) {
      return `pods ${Object.entries(selector)
        .map((each) => each.join("="))
        .join(",")} port ${port}`;
    }
    return `${hostOf(found)}:${port}`;
  };
}

function hostOf(service: KubeObject): string {
  const { spec, status } = read(service);
  const [first] = status?.loadBalancer?.ingress ?? [];
  const { namespace = "default", name } = service.metadata;
  return first?.hostname ?? first?.ip ?? spec?.externalIPs?.[0] ?? `${name}.${namespace}`;
}

function serves(service: KubeObject, selector: Labels, port: number): boolean {
  const { spec } = read(service);
  const labels = spec?.selector ?? {};
  const wanted = Object.entries(selector);
  const isOfGateway = wanted.length > 0 && wanted.every(([label, value]) => labels[label] === value);
  return isOfGateway && (spec?.ports ?? []).some((each) => each.port === port);
}

function selectorOf(gateway: KubeObject | undefined): Labels {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istio's schema has been checked by the API server.
  return ((gateway?.["spec"] ?? {}) as { readonly selector?: Labels }).selector ?? {};
}

function read(service: KubeObject): Addressed {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
  return service as unknown as Addressed;
}
