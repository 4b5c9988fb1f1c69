import type { UpEvent } from "../../app-types.ts";
import type { StoreTrouble } from "../../kubernetes/kind-store.ts";
import { connectSite, type SiteConnection } from "./connection/connect-site.ts";
import type { SiteOptions } from "./connection/site-options.ts";
import { WatchedObjects } from "./objects/watched-objects.ts";
import type { SiteRuntime } from "./site-runtime.ts";
import { describeTrouble } from "./objects/site-trouble.ts";

/** A cluster, and its objects as they are now. */
export interface WatchedPart {
  readonly connection: SiteConnection;
  readonly objects: WatchedObjects;
}

export interface Watching {
  readonly env: NodeJS.ProcessEnv;
  readonly follower: SiteFollower;
  readonly onEvent: (event: UpEvent) => void;
  readonly starting: AsyncDisposableStack;
}

/**
 * Connects to a cluster and watches it until the stack ends.
 * @throws KirikaeError as `connectSite` and `WatchedObjects.start` do
 */
export async function watchPart(
  site: SiteOptions,
  { env, follower, onEvent, starting }: Watching,
): Promise<WatchedPart> {
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
export class SiteFollower {
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
