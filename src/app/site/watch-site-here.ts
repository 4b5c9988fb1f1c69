import type { ApiClient } from "../../api/client.ts";
import type { LiveEvent } from "../../api/types.ts";
import type { ReachedSite, ReachSiteOptions } from "./reach-site.ts";
import { keepAsking } from "./keep-asking.ts";
import { openSite } from "./open-site.ts";
import { createSiteClient } from "./site-client.ts";
import type { SiteRuntime } from "./site-runtime.ts";
import { SiteFollower, watchPart } from "./watch-part.ts";

/**
 * Watches a cluster in this process, for as long as somebody looks, and changes nothing: its client tells what happens as
 * that of a running `up` would. What releases that were begun from here did is as old as this.
 * @throws KirikaeError as `connectSite` and `openSite` do, and the KubeError where the routes cannot be watched
 */
export async function watchSiteHere(
  { site, actor, onEvent }: Omit<ReachSiteOptions, "access" | "patienceMs">,
  env: NodeJS.ProcessEnv,
): Promise<ReachedSite> {
  await using starting = new AsyncDisposableStack();
  const follower = new SiteFollower(onEvent);
  const { connection, objects } = await watchPart(site, { env, follower, onEvent, starting });
  const opening = { connection, objects, access: "read", actor, onEvent } as const;
  const { mesh, runtime } = await openSite({ ...opening, allowsCommands: false, folder: process.cwd() }, env, starting);
  follower.follow(runtime);
  await runtime.askProxies();
  starting.use(keepAsking(runtime, onEvent));
  const running = starting.move();
  const client: ApiClient = {
    ...createSiteClient(runtime, site.context),
    // Proxies are asked beside it, so that what is known is shown while they do not answer.
    status: async () => runtime.status(),
    events: (signal) => eventsOf(runtime, signal),
  };
  return { client, mesh, unseen: objects.unseen, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function* eventsOf(runtime: Pick<SiteRuntime, "subscribe">, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  const queue: LiveEvent[] = [];
  let happened = Promise.withResolvers<void>();
  using subscription = runtime.subscribe((event) => {
    queue.push(event);
    happened.resolve();
  });
  signal.addEventListener("abort", () => happened.resolve(), { once: true });
  while (!signal.aborted) {
    yield* queue.splice(0);
    await happened.promise;
    happened = Promise.withResolvers();
  }
}
