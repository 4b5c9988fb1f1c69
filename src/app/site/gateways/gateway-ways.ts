import { localName, siteOf } from "../../../core/routes/site-names.ts";
import type { Listener } from "../../../core/routes/route-table.ts";
import { createForwardAgents } from "../../../kubernetes/forward-agents.ts";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import type { AddressRule } from "../../../local/limit-addresses.ts";
import { KirikaeError } from "../../../core/diagnostics/error.ts";
import { isPodReady } from "../../../targets/istio/pod-state.ts";
import type { ProbePlace } from "../../probe-traffic.ts";
import type { ProbeWays } from "../../step-watch.ts";
import { findGatewayService, loadBalancerOf, matches, podPortOf, selectorOf } from "../objects/gateway-service.ts";
import type { SiteMesh } from "../mesh/site-mesh.ts";

/** One cluster whose gateways are asked. */
export interface GatewaySite {
  readonly context: string;
  readonly mesh: Pick<SiteMesh, "table" | "objects" | "object">;
  readonly api: Pick<KubeApi, "openPort">;
  /** `host:port` by Gateway, `namespace/name` or `namespace/name:port`, as somebody has named it. */
  readonly named: ReadonlyMap<string, string>;
}

/** As many as a browser would open, because each is a connection to the API server as well. */
const forwards = 6;

/**
 * How requests reach the gateways of these clusters, as any visitor's do: at the address that somebody has named, else
 * at the load balancer of their Service, else by a port-forward to one of their pods that is ready. Disposing it ends
 * what was opened. Listeners have their context in front of their names where there are several clusters.
 */
export function openGatewayWays(sites: readonly GatewaySite[], addresses?: AddressRule): ProbeWays {
  const known = new Map<string, ProbePlace | string>();
  const stack = new DisposableStack();
  const find = (id: string): ProbePlace | string => {
    const site = sites.length === 1 ? sites[0] : sites.find(({ context }) => context === siteOf(id));
    const own = sites.length === 1 ? id : localName(id);
    const listener = site?.mesh.table.listeners.find((each) => each.id === own);
    if (site === undefined || listener === undefined) return "the gateway is gone";
    return findPlace(site, { listener, stack, addresses });
  };
  return {
    locate(id) {
      const place = known.get(id) ?? find(id);
      known.set(id, place);
      return place;
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

interface Wanted {
  readonly listener: Listener;
  readonly stack: DisposableStack;
  /** Says where a load balancer may be: whoever may write Services says where theirs is. */
  readonly addresses: AddressRule | undefined;
}

/** Why there is none, in words, where there is none. */
function findPlace({ mesh, api, named }: GatewaySite, { listener, stack, addresses }: Wanted): ProbePlace | string {
  const { port } = listener;
  const names = [...new Set(listener.filterChains.flatMap(({ servers }) => servers.map(({ gateway }) => gateway)))];
  for (const name of names) {
    const address = named.get(`${name}:${port}`) ?? named.get(name);
    if (address !== undefined) return parseAddress(address);
  }
  const selectors = names.map((name) => selectorOf(findGateway(mesh, name)));
  const pods = mesh
    .objects(kubeKinds.pod)
    .filter((pod) => isPodReady(pod) && selectors.some((selector) => matches(selector, pod.metadata.labels)));
  const [pod] = pods;
  const service = selectors
    .map((selector) => findGatewayService(mesh, { selector, port, pods }))
    .find((each) => each !== undefined);
  const balancer = placeOf(service === undefined ? undefined : loadBalancerOf(service), { port, addresses });
  if (balancer !== undefined) return balancer;
  if (pod === undefined) {
    return `neither a load balancer nor a pod that is ready is known of ${names.join(", ")}; --gateway-address names where it is reached`;
  }
  const { namespace = "", name } = pod.metadata;
  const place = { pod: { namespace, name }, port: podPortOf(pod, { service, port }) };
  const agents = createForwardAgents(api, place, { connections: forwards });
  stack.defer(() => {
    agents.http.destroy();
    agents.https.destroy();
  });
  return { address: `${name}.${namespace}`, port: place.port, agents };
}

/** Undefined where there is none, or its address is refused. */
function placeOf(
  address: string | undefined,
  { port, addresses }: { readonly port: number } & Pick<Wanted, "addresses">,
): ProbePlace | undefined {
  if (address === undefined || addresses === undefined) return address === undefined ? undefined : { address, port };
  const host = address.includes(":") ? `[${address}]` : address;
  const url = URL.parse(`http://${host}:${port}`);
  if (url === null) return undefined;
  try {
    return { address, port, ...addresses(url) };
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return undefined;
  }
}

function findGateway(mesh: GatewaySite["mesh"], gateway: string): KubeObject | undefined {
  const [namespace = "", name = ""] = gateway.split("/");
  return mesh.object(kubeKinds.gateway, { namespace, name });
}

/** `host:port`; IPv6 in brackets. Checked where it was read. */
function parseAddress(text: string): ProbePlace {
  const { hostname, port } = new URL(`tcp://${text}`);
  return { address: hostname.replaceAll(/^\[|\]$/gu, ""), port: Number(port) };
}
