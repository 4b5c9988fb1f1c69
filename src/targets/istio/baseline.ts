import type { Clock } from "../../engine/ports.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import { type ControlPlaneReading, readControlPlane } from "./control-plane.ts";
import type { Evidence } from "./evidence.ts";
import { listNeeded, type Need, type NeededProxy } from "./needed-proxies.ts";
import { createProxyAdmin } from "./proxy-admin.ts";
import type { ProxyBaseline } from "./proxy-watch.ts";
import type { IstiodPlace } from "./site-view.ts";

/** What every proof needs. */
export interface ProofParts {
  readonly api: KubeApi;
  readonly reach: PodReach;
  readonly istiods: () => Promise<readonly IstiodPlace[]>;
  readonly clock: Clock;
}

/** What there was before a write. */
export interface Baseline {
  readonly needed: readonly NeededProxy[];
  readonly proxies: ReadonlyMap<string, ProxyBaseline>;
  readonly controlPlane: ControlPlaneReading;
}

/** Reads what there is before a write. Proxies that do not answer are left out. */
export async function readBaseline(
  parts: ProofParts,
  { evidence, need }: { readonly evidence: Evidence; readonly need: Need },
): Promise<Baseline> {
  const [needed, controlPlane] = await Promise.all([
    listNeeded(parts.api, need),
    parts.istiods().then((istiods) => readControlPlane(istiods)),
  ]);
  const proxies = new Map<string, ProxyBaseline>();
  await Promise.all(
    needed.map(async (proxy) => {
      const admin = createProxyAdmin(parts.reach, proxy);
      try {
        proxies.set(proxy.id, await readProxy(evidence, proxy, admin));
      } catch (error) {
        if (!(error instanceof KirikaeError) && !(error instanceof SyntaxError)) throw error;
      }
    }),
  );
  return { needed, proxies, controlPlane };
}

/** Only of sidecars it is worth a dump to know beforehand whether they are concerned: there are many that are not. */
async function readProxy(
  evidence: Evidence,
  { role }: NeededProxy,
  admin: ReturnType<typeof createProxyAdmin>,
): Promise<ProxyBaseline> {
  const stamp = await evidence.stamp(admin);
  return { stamp, isAbsent: role === "sidecar" && (await evidence.judge(admin)).kind === "absent" };
}
