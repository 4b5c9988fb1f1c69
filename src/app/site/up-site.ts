import { type RunningApi, startApi } from "../../api/server.ts";
import type { RunningMesh, UpEvent } from "../../app-types.ts";
import type { StoreTrouble } from "../../kubernetes/kind-store.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
import { connectSite, type SiteConnection } from "./connection/connect-site.ts";
import { openSite, type OpenedSite } from "./open-site.ts";
import { describeTrouble } from "./site-trouble.ts";
import type { SiteOptions } from "./connection/site-options.ts";
import type { SiteRuntime } from "./site-runtime.ts";
import { type FirstOrder, takeUp } from "./take-up.ts";
import { WatchedObjects } from "./objects/watched-objects.ts";

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

const sampleIntervalMs = 1_000;
/** istiod and the proxies are asked what they have this often while somebody may look. */
const proxiesIntervalMs = 3_000;

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
  const api = starting.use(await serve(opened, options));
  await runtime.askProxies();
  takeUp(runtime.releases, options.first);
  starting.use(repeat(() => runtime.sample(), { everyMs: sampleIntervalMs, onEvent }));
  starting.use(repeat(() => askAndPublish(runtime), { everyMs: proxiesIntervalMs, onEvent }));
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

interface WatchedPart {
  readonly connection: SiteConnection;
  readonly objects: WatchedObjects;
}

interface Watching {
  readonly env: NodeJS.ProcessEnv;
  readonly follower: SiteFollower;
  readonly onEvent: (event: UpEvent) => void;
  readonly starting: AsyncDisposableStack;
}

async function watchPart(site: SiteOptions, { env, follower, onEvent, starting }: Watching): Promise<WatchedPart> {
  const connection = await connectSite(site, env, starting);
  onEvent({ kind: "progress", message: `reading the objects of ${site.context}` });
  const objects = starting.use(
    await WatchedObjects.start({
      api: connection.api,
      namespaces: connection.namespaces,
      istioNamespace: site.istioNamespace,
      onChange: () => follower.takeChanges(),
      onTrouble: (trouble) => follower.tell(site.context, trouble),
    }),
  );
  return { connection, objects };
}

/** Hands what the watches bring to the runtime, once there is one. */
class SiteFollower {
  readonly #onEvent: (event: UpEvent) => void;
  readonly #lost = new Map<string, string>();
  #runtime: SiteRuntime | undefined;

  constructor(onEvent: (event: UpEvent) => void) {
    this.#onEvent = onEvent;
  }

  follow(runtime: SiteRuntime): void {
    this.#runtime = runtime;
  }

  takeChanges(): void {
    this.#runtime?.takeChanges();
  }

  tell(context: string, trouble: StoreTrouble): void {
    const message = `${context}: ${describeTrouble(trouble)}`;
    this.#onEvent({ kind: "warning", message });
    if (trouble.kind === "lost") this.#lost.set(context, message);
    else this.#lost.delete(context);
    this.#runtime?.tellTroubles([...this.#lost.values()]);
  }
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

async function askAndPublish(runtime: SiteRuntime): Promise<void> {
  await runtime.askProxies();
  runtime.publishStatus();
}

interface Repetition {
  readonly everyMs: number;
  readonly onEvent: (event: UpEvent) => void;
}

/** One at a time; what fails again and again with the same words is told once. */
function repeat(work: () => Promise<void>, { everyMs, onEvent }: Repetition): AsyncDisposable {
  let running: Promise<void> | undefined;
  let told: string | undefined;
  const tell = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== told) onEvent({ kind: "warning", message });
    told = message;
  };
  const run = async (): Promise<void> => {
    try {
      await work();
      told = undefined;
    } catch (error) {
      tell(error);
    } finally {
      running = undefined;
    }
  };
  const timer = setInterval(() => {
    running ??= run();
  }, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
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
