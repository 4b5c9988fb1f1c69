import { type RunningApi, startApi } from "../../api/server.ts";
import type { RunningMesh, UpEvent } from "../../app-types.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
import { keepAsking } from "./keep-asking.ts";
import { openSite, type OpenedSite } from "./open-site.ts";
import type { SiteOptions } from "./connection/site-options.ts";
import { type FirstOrder, takeUp } from "./take-up.ts";
import { SiteFollower, type WatchedPart, watchPart } from "./watch-part.ts";

/** What `kirikae up --context` is asked for. */
export interface UpSiteOptions {
  /** At least one. Several are moved together, on one journal, under names with their context in front. */
  readonly sites: readonly [SiteOptions, ...SiteOptions[]];
  /** The API's port; undefined or 0 takes a free one. */
  readonly apiPort?: number | undefined;
  /** Who runs it: whom the link to the status page signs in, and whom annotations name. */
  readonly actor: string;
  /** Lets releases run programs as judges, with the rights of this process. */
  readonly allowsCommands: boolean;
  /** Where files are that Releases name. */
  readonly folder: string;
  /** Only this release goes on, and it is told this first; all that were left go on where it is not given. */
  readonly first?: FirstOrder | undefined;
  /** Ends a start that is still under way. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: UpEvent) => void;
}

/**
 * Moves the traffic of one cluster, or of several together, until it is disposed: watches, an API on loopback, the status page and releases.
 * Nothing in the cluster depends on it: when it ends, traffic stays as it is, and the next one goes on from there.
 * @throws KirikaeError as `connectSite` and `openSite` do, KIR5056 when the API's port cannot be taken
 */
export async function upSite(options: UpSiteOptions, env: NodeJS.ProcessEnv): Promise<RunningMesh> {
  await using starting = new AsyncDisposableStack();
  const { sites, onEvent } = options;
  const follower = new SiteFollower(onEvent);
  const watch = (site: SiteOptions): Promise<WatchedPart> => watchPart(site, { env, follower, onEvent, starting });
  const [site, ...rest] = sites;
  const first = await watch(site);
  const others: WatchedPart[] = [];
  for (const other of rest) others.push(await watch(other));
  options.signal?.throwIfAborted();
  const opened = await openSite({ ...options, ...first, others, access: "write" }, env, starting);
  const { runtime } = opened;
  follower.follow(runtime);
  await recover(opened, onEvent);
  // Whatever a release is told first is told once it is known what was answered until then.
  await runtime.lookSoon();
  const api = starting.use(await serve(opened, options));
  await runtime.askProxies();
  takeUp(runtime.releases, options.first);
  starting.use(keepAsking(runtime, onEvent));
  options.signal?.throwIfAborted();
  const { gateways, services } = runtime.status();
  onEvent({
    kind: "ready",
    contexts: sites.map(({ context }) => context),
    api: api.url,
    pageUrl: api.pageUrl(),
    gateways,
    services,
    callers: [],
    callToTry: undefined,
  });
  return runUntilDisposed(starting.move());
}

async function recover({ engine, routes }: OpenedSite, onEvent: (event: UpEvent) => void): Promise<void> {
  for (const { id, virtualService, message } of await engine.recover((split) => routes.weights(split) !== undefined)) {
    onEvent({ kind: "warning", message: `${id} of ${virtualService}: ${message}` });
  }
}

function serve({ runtime, state }: OpenedSite, { apiPort, actor, onEvent }: UpSiteOptions): Promise<RunningApi> {
  return startApi(runtime, {
    tokenFile: state.token,
    addressFile: state.apiAddress,
    port: apiPort,
    actor,
    onDefect: warnOfDefect(onEvent, "a request of the API"),
  });
}

function runUntilDisposed(stack: AsyncDisposableStack): RunningMesh {
  const stopped = Promise.withResolvers<void>();
  return {
    stopped: stopped.promise,
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
      stopped.resolve();
    },
  };
}
