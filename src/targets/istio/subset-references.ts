import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { readSpec } from "./read-spec.ts";

interface Destined {
  readonly destination?: { readonly host?: string; readonly subset?: string };
  readonly weight?: number;
}

interface Rules {
  readonly http: readonly {
    readonly route?: readonly Destined[];
    readonly mirror?: Destined["destination"];
    readonly mirrors?: readonly Destined[];
  }[];
  readonly tcp: readonly { readonly route?: readonly Destined[] }[];
  readonly tls: readonly { readonly route?: readonly Destined[] }[];
}

/** A host without a dot is of its object's own namespace (Istio `pilot/pkg/model/config.go`, ResolveShortnameToFQDN). */
export function resolveHost(host: string, namespace: string, domain = "cluster.local"): string {
  return host.includes(".") || host === "*" ? host : `${host}.${namespace}.svc.${domain}`;
}

/**
 * Who still routes to one of these subsets, in words; undefined where nobody does. An entry without any weight beside
 * others gets no requests, and istiod leaves it out of what it sends.
 */
export function findReference(
  services: readonly KubeObject[],
  host: string,
  subsets: readonly string[],
): string | undefined {
  for (const service of services) {
    const namespace = service.metadata.namespace ?? "";
    for (const destination of destinationsOf(service)) {
      const { host: named = "", subset = "" } = destination;
      if (!subsets.includes(subset) || resolveHost(named, namespace) !== host) continue;
      return `VirtualService ${namespace}/${service.metadata.name} still routes to the subset ${subset}`;
    }
  }
  return undefined;
}

function destinationsOf(service: KubeObject): readonly NonNullable<Destined["destination"]>[] {
  const { http = [], tcp = [], tls = [] } = readSpec<Rules>(service);
  const mirrors = http.flatMap((rule) => [rule.mirror, ...(rule.mirrors ?? []).map(({ destination }) => destination)]);
  const routed = [...http, ...tcp, ...tls].flatMap(({ route = [] }) =>
    route.filter(({ weight }) => route.length === 1 || (weight ?? 0) > 0).map(({ destination }) => destination),
  );
  return [...mirrors, ...routed].filter((destination) => destination !== undefined);
}
