import { KirikaeError } from "../../src/core/diagnostics/error.ts";
import type { SplitId, SplitWeights } from "../../src/core/routes/route-table.ts";
import { splitsOf, weightsOf } from "../../src/core/routes/weights.ts";
import { listSite } from "../../src/app/site/objects/list-site.ts";
import { SiteMesh } from "../../src/app/site/mesh/site-mesh.ts";
import { createSystemClock } from "../../src/engine/clock.ts";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import type { PodReach } from "../../src/kubernetes/pod-reach.ts";
import { SiteTarget, type SiteTargetOptions } from "../../src/targets/istio/site-target.ts";
import type { IstiodPlace } from "../../src/targets/istio/site-view.ts";
import type { Istiod } from "./istiod.ts";
import type { IstioProxy } from "./istio-proxy.ts";
import type { KubeUser } from "./kube-api-server.ts";
import type { Site } from "./site.ts";

/** A target on what is live now, which reaches proxies by their sockets and knows whom it was told to know. */
export interface TargetOfSite extends AsyncDisposable {
  readonly target: SiteTarget;
  readonly mesh: SiteMesh;
  readonly api: KubeApi;
  /** Every split of the site's VirtualService, with what is live. */
  splits(): ReadonlyMap<SplitId, SplitWeights>;
}

export interface TargetOfSiteOptions extends Partial<SiteTargetOptions> {
  readonly user?: KubeUser;
  readonly replicas?: readonly Istiod[];
  /** Called right before the first object is written. */
  readonly beforeWriting?: () => Promise<void>;
  /** Proxies beside the gateways that can be reached, by their ids. */
  readonly proxies?: readonly IstioProxy[];
  /** Names of gateways whose admin interface nobody reaches. */
  readonly hidden?: readonly string[];
}

export async function openTarget(site: Site, options: TargetOfSiteOptions = {}): Promise<TargetOfSite> {
  const { cluster, namespace } = site;
  const { user = "admin", replicas = [cluster.istiod], hidden = [], proxies = [], beforeWriting, ...rest } = options;
  const connected = await connectKube({ context: user, kubeconfig: cluster.api.kubeconfig, env: {} });
  const api = beforeWriting === undefined ? connected : interrupted(connected, beforeWriting);
  const { objects } = await listSite({ api, namespaces: [namespace], istioNamespace: "istio-system" });
  const mesh = new SiteMesh({ context: user, objects, defaultNamespace: namespace, istioNamespace: "istio-system" });
  const target = new SiteTarget({
    api,
    view: mesh,
    reach: reachBySocket([...site.gateways.map(({ proxy }) => proxy), ...proxies], hidden),
    istiods: () => Promise.resolve(replicas.map((replica, index) => placeOf(replica, index))),
    clock: createSystemClock(),
    ...rest,
  });
  return {
    target,
    mesh,
    api,
    splits: () =>
      new Map(
        [...splitsOf(mesh.table)]
          .filter(([id]) => id.startsWith(`${namespace}/`))
          .map(([id, split]) => [id, weightsOf(split)]),
      ),
    [Symbol.asyncDispose]: () => connected[Symbol.asyncDispose](),
  };
}

function interrupted(api: KubeApi, beforeWriting: () => Promise<void>): KubeApi {
  let isFirst = true;
  const apply: KubeApi["apply"] = async (...args) => {
    if (isFirst) {
      isFirst = false;
      await beforeWriting();
    }
    return await api.apply(...args);
  };
  return new Proxy(api, {
    get(target, property) {
      if (property === "apply") return apply;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function placeOf(istiod: Istiod, index: number): IstiodPlace {
  return {
    name: `istiod-${index + 1}`,
    async get(path, { timeoutMs = 5_000 } = {}) {
      const answer = await fetch(istiod.url + path, { signal: AbortSignal.timeout(timeoutMs) }).catch(
        (error: unknown) => {
          throw new KirikaeError("KIR4010", String(error), { exitStatus: 3 });
        },
      );
      const text = await answer.text();
      if (!answer.ok) throw new KirikaeError("KIR4010", `status ${answer.status}`, { exitStatus: 3 });
      return text;
    },
  };
}

function reachBySocket(proxies: readonly IstioProxy[], hidden: readonly string[]): PodReach {
  return {
    async get({ pod }, path, { timeoutMs } = {}) {
      const proxy = proxies.find(({ id }) => id === `${pod.name}.${pod.namespace}`);
      if (proxy === undefined || hidden.includes(pod.name)) {
        throw new KirikaeError("KIR4010", `${pod.name} cannot be reached`, { exitStatus: 3 });
      }
      return await proxy.admin.get(path, timeoutMs);
    },
    async [Symbol.asyncDispose]() {},
  };
}
