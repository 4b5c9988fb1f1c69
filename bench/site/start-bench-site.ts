import { join } from "node:path";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import { Cluster } from "../../test/cluster/cluster.ts";
import { findBuilt, findEtcd } from "../../test/cluster/go-program.ts";
import { Kubectl } from "../../test/cluster/kubectl.ts";
import { Site } from "../../test/cluster/site.ts";
import { SiteReleases } from "../../test/cluster/site-releases.ts";
import { type Backends, startBackends } from "../backends.ts";

/** A site of one gateway in front of both versions, and kubectl beside it. */
export interface BenchSite {
  readonly site: Site;
  readonly kubectl: Kubectl;
  readonly backends: Backends;
  /** `kirikae up --context` beside it. */
  readonly releases: SiteReleases;
  /** A name that no release has had. */
  nextName(): string;
}

/** Undefined where a program is missing; everything that is started goes to the stack. */
export async function startBenchSite(folder: string, stack: AsyncDisposableStack): Promise<BenchSite | undefined> {
  const { env } = process;
  const etcd = await findEtcd(env);
  const istiod = await findBuilt("istiod", env);
  const apiserver = await findBuilt("apiserver", env);
  const kubelet = await findBuilt("kubelet", env);
  const client = await findBuilt("kubectl", env);
  if (!etcd || !istiod || !apiserver || !kubelet || !client) return undefined;
  const { path: envoy } = await findEnvoy({ env, onProgress: (line) => process.stderr.write(`${line}\n`) });
  const backends = stack.use(await startBackends(folder));
  const cluster = stack.use(await Cluster.start({ etcd, istiod, apiserver, kubelet, envoy }));
  const endpoints = (["blue", "green"] as const).map((version) => ({
    version,
    address: "127.0.0.1",
    port: backends.port[version],
  }));
  const site = stack.use(await Site.start({ cluster, namespace: "shop", endpoints, hasPreview: false }));
  const kubectl = new Kubectl({ path: join(client, "kubectl"), kubeconfig: cluster.api.kubeconfig });
  const releases = stack.use(await SiteReleases.start(site));
  let count = 0;
  return { site, kubectl, backends, releases, nextName: () => `release-${(count += 1)}` };
}

export const leftOut = "Left out: etcd or what `npm run cluster:build` builds is not here.";
