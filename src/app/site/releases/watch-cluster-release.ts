import type { ClusterRelease } from "../../../api/types.ts";
import { readStatus } from "../../../controller/status/write-status.ts";
import { KindStore } from "../../../kubernetes/kind-store.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { connectSite } from "../connection/connect-site.ts";
import type { SiteOptions } from "../connection/site-options.ts";
import { describeTrouble } from "../objects/site-trouble.ts";
import { describeClusterRelease } from "./cluster-release.ts";

/** What is heard of one Release of a cluster. */
export interface ReleaseListener {
  /** It is another one now, or there is none any more. */
  readonly onChange: () => void;
  /** The API server is lost, or is back; in a sentence without a full stop. Nothing is missed in between. */
  readonly onTrouble: (message: string) => void;
}

/** One Release of a cluster as it is now. */
export interface WatchedRelease extends AsyncDisposable {
  /** Undefined where it has been deleted. */
  now(): SeenRelease | undefined;
}

export interface SeenRelease {
  readonly release: ClusterRelease;
  /** False where its file has been changed since a controller looked at it last: what it says is of before. */
  readonly isCurrent: boolean;
}

/**
 * Follows one Release by a watch in its namespace, until it is disposed.
 * @param release `namespace/name`
 * @throws KirikaeError as `connectSite` does, and the KubeError where it may not be watched or nobody answers
 */
export async function watchClusterRelease(
  { site, release }: { readonly site: SiteOptions; readonly release: string },
  { onChange, onTrouble }: ReleaseListener,
  env: NodeJS.ProcessEnv,
): Promise<WatchedRelease> {
  await using stack = new AsyncDisposableStack();
  const { api } = await connectSite(site, env, stack);
  const [namespace = ""] = release.split("/");
  const store = stack.use(
    await KindStore.start({
      api,
      kinds: [kubeKinds.release],
      namespaces: [namespace],
      onChange: (changes) => {
        if (changes.some(({ name }) => name === release)) onChange();
      },
      onTrouble: (trouble) => onTrouble(`${site.context}: ${describeTrouble(trouble)}`),
    }),
  );
  const running = stack.move();
  return {
    now() {
      const object = store.get(kubeKinds.release, release);
      return object === undefined ? undefined : seeRelease(object, site.context);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What its object says, and whether that is of its file as it is now. */
export function seeRelease(object: KubeObject, context: string): SeenRelease {
  const { observedGeneration = 0 } = readStatus(object);
  const { generation = observedGeneration } = object.metadata;
  return {
    release: describeClusterRelease(object, context),
    isCurrent: object["status"] !== undefined && observedGeneration >= generation,
  };
}
