import { asObject, asText, type JsonObject, readListed } from "../../core/site/json-value.ts";
import type { Evidence, Sight } from "./evidence.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";
import type { IstiodPlace } from "./site-view.ts";

/** The clusters of one host that a proxy has. */
interface HostClusters {
  /** In use: an EDS cluster is that when its endpoints are known (Envoy doc: cluster warming). */
  readonly active: ReadonlySet<string>;
  /** Newer forms that are not in use yet. */
  readonly warming: ReadonlySet<string>;
}

const viewTimeoutMs = 10_000;

/** That a proxy which has any cluster of the host has one for each of these subsets, at every port, and none of them warms. */
export function subsetsEvidence(host: string, subsets: readonly string[]): Evidence {
  return clusterEvidence(host, ({ active, warming }) => {
    for (const port of portsOf(active, host)) {
      for (const subset of subsets) {
        const name = `outbound|${port}|${subset}|${host}`;
        if (warming.has(name)) return { kind: "other", text: `has no endpoints of ${name} yet` };
        if (!active.has(name)) return { kind: "other", text: `has no cluster ${name} yet` };
      }
    }
    return { kind: "shown" };
  });
}

/** That a proxy has no cluster of these subsets any more. */
export function subsetGoneEvidence(host: string, subsets: readonly string[]): Evidence {
  return clusterEvidence(host, ({ active }) => {
    const left = [...active].find((name) => subsets.includes(name.split("|")[2] ?? ""));
    return left === undefined ? { kind: "shown" } : { kind: "other", text: `still has the cluster ${left}` };
  });
}

/** That no route of a proxy leads to one of these subsets. */
export function unroutedEvidence(host: string, subsets: readonly string[]): Evidence {
  const endings = subsets.map((subset) => `|${subset}|${host}"`);
  const judge = (dump: string): Sight => {
    const ending = endings.find((each) => dump.includes(each));
    return ending === undefined ? { kind: "shown" } : { kind: "other", text: `still routes to ${ending.slice(1, -1)}` };
  };
  return {
    type: "route",
    stamp: (admin) => admin.stampRoutes(),
    judge: async (admin) => judge(JSON.stringify(await admin.dumpRoutes())),
    judgeView: async (istiod, proxyId) => judge(await readView(istiod, proxyId, "rds")),
  };
}

function clusterEvidence(host: string, judge: (clusters: HostClusters) => Sight): Evidence {
  const sightOf = (clusters: HostClusters): Sight =>
    clusters.active.size === 0 ? { kind: "absent" } : judge(clusters);
  return {
    type: "cluster",
    stamp: async (admin) =>
      JSON.stringify(await dumpClusters(admin, host, "dynamic_active_clusters")) +
      JSON.stringify(await dumpClusters(admin, host, "dynamic_warming_clusters")),
    judge: async (admin) =>
      sightOf({
        active: namesIn(await dumpClusters(admin, host, "dynamic_active_clusters")),
        warming: namesIn(await dumpClusters(admin, host, "dynamic_warming_clusters")),
      }),
    async judgeView(istiod, proxyId) {
      const names = namesOf(readListed(await readView(istiod, proxyId, "cds"), "configs"));
      return sightOf({ active: new Set(names.filter((name) => name.endsWith(`|${host}`))), warming: new Set() });
    },
  };
}

/** Names and times of the clusters of one host, without what they are. */
async function dumpClusters(admin: ProxyAdmin, host: string, resource: string): Promise<readonly JsonObject[]> {
  const filter = encodeURIComponent(`outbound\\|.*\\|${host.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)}`);
  const mask = "cluster.name,version_info,last_updated";
  return readListed(await admin.get(`/config_dump?resource=${resource}&mask=${mask}&name_regex=${filter}`), "configs");
}

function namesIn(configs: readonly JsonObject[]): ReadonlySet<string> {
  return new Set(namesOf(configs.map(({ cluster }) => asObject(cluster))));
}

function namesOf(clusters: readonly JsonObject[]): readonly string[] {
  return clusters.flatMap(({ name }) => asText(name) ?? []);
}

function portsOf(names: ReadonlySet<string>, host: string): ReadonlySet<string> {
  return new Set([...names].flatMap((name) => (name.endsWith(`|${host}`) ? (name.split("|")[1] ?? []) : [])));
}

async function readView(istiod: IstiodPlace, proxyId: string, types: string): Promise<string> {
  const path = `/debug/config_dump?proxyID=${encodeURIComponent(proxyId)}&types=${types}`;
  return await istiod.get(path, { timeoutMs: viewTimeoutMs });
}
