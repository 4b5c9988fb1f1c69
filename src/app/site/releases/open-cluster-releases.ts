import { isCalled } from "../../../core/release/move/is-called.ts";
import { findRelease, type ReleaseName } from "../../../core/release/describe/find-release.ts";
import type { ReleaseReport } from "../../../core/release/report/release-report.ts";
import type { ReleaseCommand } from "../../../core/release/state/release-state.ts";
import { orderRelease } from "../../../controller/order-release.ts";
import { isChunkOf, journalLabel, parseChunks } from "../../../controller/journal/journal-chunk.ts";
import type { OrderStatus } from "../../../controller/status/release-status.ts";
import { foldJournal, type JournalState } from "../../../engine/fold-journal.ts";
import { reportRelease } from "../../../engine/report-release.ts";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import type { ClusterRelease, ReleaseStatus } from "../../../api/types.ts";
import { describeClusterRelease, newestFirst } from "./cluster-release.ts";
import { connectSite } from "../connection/connect-site.ts";
import { limitApi } from "../connection/limited-api.ts";
import { describeStored } from "./describe-stored.ts";
import type { SiteOptions } from "../connection/site-options.ts";
import type { Unseen } from "../objects/site-objects.ts";

/** The Releases of one cluster, which its controller carries out. */
export interface ClusterReleases {
  readonly context: string;
  /** Newest first; those that have not begun before all others. None where the cluster has no such kind. */
  readonly releases: readonly ClusterRelease[];
  readonly unseen: readonly Unseen[];
  /**
   * The Release of that name with its steps; undefined where there is none.
   * @throws KIR2036 where several namespaces have one
   */
  find(name: ReleaseName): Promise<FoundClusterRelease | undefined>;
  /** As `orderRelease`. */
  order(release: string, order: ClusterCommand): Promise<OrderStatus>;
}

export interface FoundClusterRelease {
  readonly summary: ClusterRelease;
  /** What its controller has written down; undefined where it has not begun, or may not be read. */
  readonly story: ClusterStory | undefined;
}

interface ClusterStory extends Pick<JournalState, "timeline"> {
  /** As of a release that is carried out from here. */
  readonly status: ReleaseStatus;
  report(atMs: number): ReleaseReport;
}

interface ClusterCommand {
  readonly command: ReleaseCommand;
  readonly actor: string;
  readonly reason: string | undefined;
}

/**
 * Looks once which Releases a cluster has. The stack ends what is opened.
 * @throws KirikaeError as `connectSite` does, and the KubeError where the API server does not answer
 */
export async function openClusterReleases(
  site: SiteOptions & { readonly timeoutMs?: number | undefined },
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<ClusterReleases> {
  const { api, namespaces } = await connectSite(site, env, stack);
  const { objects, unseen } = await listObjects(limitTime(limitApi(api, namespaces), site.timeoutMs));
  const sorted = newestFirst(objects);
  const { context } = site;
  return {
    context,
    releases: sorted.map((object) => describeClusterRelease(object, context)),
    unseen,
    async find(name) {
      const meant = sorted.filter((object) => isCalled(nameOf(object), name.name));
      if (meant.length === 0) return undefined;
      const inPlace = meant.filter(
        ({ metadata }) => name.namespace === undefined || metadata.namespace === name.namespace,
      );
      if (inPlace.length === 0) return undefined;
      const object = findRelease(inPlace, name, nameOf);
      const summary = describeClusterRelease(object, context);
      const story = await readStory(limitTime(api, site.timeoutMs), object, summary);
      return { summary: { ...summary, steps: story?.status.steps ?? [] }, story };
    },
    order: (release, order) => orderRelease({ api, release, ...order }),
  };
}

interface Listed {
  readonly objects: readonly KubeObject[];
  readonly unseen: readonly Unseen[];
}

/** No list takes longer; as long as any may where no time is given. */
function limitTime(api: Pick<KubeApi, "list">, timeoutMs: number | undefined): Pick<KubeApi, "list"> {
  if (timeoutMs === undefined) return api;
  return { list: (kind, options) => api.list(kind, { timeoutMs, ...options }) };
}

async function listObjects(api: Pick<KubeApi, "list">): Promise<Listed> {
  const kind = kubeKinds.release;
  try {
    return { objects: (await api.list(kind)).items, unseen: [] };
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.status === 404) return { objects: [], unseen: [] };
    if (error.status !== 403) throw error;
    return { objects: [], unseen: [{ kind, namespace: undefined, why: error.message }] };
  }
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/**
 * Reads the journal of one Release, and claims nothing of it.
 * @throws KIR2020 and KIR2021 where it is not as it was written
 */
async function readStory(
  api: Pick<KubeApi, "list">,
  { metadata }: KubeObject,
  { id, message }: ClusterRelease,
): Promise<ClusterStory | undefined> {
  const { namespace = "", name, uid = "" } = metadata;
  const items = await listChunks(api, namespace);
  const chunks = items.filter((object) => isChunkOf(object, { namespace, name, uid }));
  if (chunks.length === 0) return undefined;
  const { history, timeline, releases } = foldJournal(parseChunks(uid, chunks).records);
  const stored = releases.all.find((each) => each.id === id) ?? releases.all.at(-1);
  if (stored === undefined) return undefined;
  return {
    timeline,
    // The controller knows what it waits for, and the journal does not.
    status: { ...describeStored(stored), message },
    report: (atMs) => reportRelease(stored, { atMs, history }),
  };
}

async function listChunks(api: Pick<KubeApi, "list">, namespace: string): Promise<readonly KubeObject[]> {
  try {
    return (await api.list(kubeKinds.configMap, { namespace, labelSelector: `${journalLabel}=true` })).items;
  } catch (error) {
    if (error instanceof KubeError && error.status === 403) return [];
    throw error;
  }
}
