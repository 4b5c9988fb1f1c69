import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import type { SiteObjects } from "./site-objects.ts";

export type Labels = Readonly<Record<string, string>>;

/** The part of a Service that says where it is reached from outside, and where it leads. */
interface Addressed {
  readonly spec?: {
    readonly selector?: Labels;
    readonly externalIPs?: readonly string[];
    readonly ports?: readonly ServicePort[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}

interface ServicePort {
  readonly port: number;
  readonly targetPort?: number | string;
}

interface Containers {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
    }[];
  };
}

interface GatewayPods {
  readonly selector: Labels;
  readonly port: number;
  /** Those of the gateway that are known. */
  readonly pods?: readonly KubeObject[];
}

/**
 * The Service that leads to the pods of a Gateway, and has this port: by what it selects where no pod is known. One with
 * a load balancer comes before one without.
 */
export function findGatewayService(
  site: Pick<SiteObjects, "objects">,
  { selector, port, pods = [] }: GatewayPods,
): KubeObject | undefined {
  const found = site.objects(kubeKinds.service).filter((service) => {
    const { spec } = read(service);
    const labels = spec?.selector ?? {};
    if (!(spec?.ports ?? []).some((each) => each.port === port)) return false;
    if (Object.keys(selector).length > 0 && matches(selector, labels)) return true;
    const isEmpty = Object.keys(labels).length === 0;
    return pods.some(({ metadata }) => {
      return !isEmpty && metadata.namespace === service.metadata.namespace && matches(labels, metadata.labels);
    });
  });
  return found.find((service) => loadBalancerOf(service) !== undefined) ?? found[0];
}

/** Where it is reached from outside of the cluster; undefined where it is not. */
export function loadBalancerOf(service: KubeObject): string | undefined {
  const { spec, status } = read(service);
  const [first] = status?.loadBalancer?.ingress ?? [];
  return first?.hostname ?? first?.ip ?? spec?.externalIPs?.[0];
}

/** The port of the pod that a port of the Service leads to; without a Service, or a word of it, the same number. */
export function podPortOf(
  pod: KubeObject,
  { service, port }: { readonly service: KubeObject | undefined; readonly port: number },
): number {
  const ports = service === undefined ? [] : (read(service).spec?.ports ?? []);
  const target = ports.find((each) => each.port === port)?.targetPort ?? port;
  if (typeof target === "number") return target;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
  const containers = (pod as unknown as Containers).spec?.containers ?? [];
  const named = containers.flatMap(({ ports: own = [] }) => own).find(({ name }) => name === target);
  return named?.containerPort ?? port;
}

/** Of a Gateway; empty where there is none. */
export function selectorOf(gateway: KubeObject | undefined): Labels {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istio's schema has been checked by the API server.
  return ((gateway?.["spec"] ?? {}) as { readonly selector?: Labels }).selector ?? {};
}

/** Whether labels have all that a selector asks for; an empty selector takes all. */
export function matches(selector: Labels, labels: Labels = {}): boolean {
  return Object.entries(selector).every(([label, value]) => labels[label] === value);
}

function read(service: KubeObject): Addressed {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server has checked its form.
  return service as unknown as Addressed;
}
