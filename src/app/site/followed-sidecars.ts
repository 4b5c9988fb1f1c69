import { askSidecars } from "./ask-sidecars.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import type { SiteMesh } from "./mesh/site-mesh.ts";

interface FollowedSite {
  readonly connection: SiteConnection;
  readonly mesh: SiteMesh;
}

/** Sidecars without a pod that is known come and go as seldom as machines do. */
const intervalMs = 10_000;

/** Which sidecars istiod lists, asked again and again for the meshes that have to know it, until it is disposed. */
export class FollowedSidecars implements AsyncDisposable {
  readonly #sites: readonly FollowedSite[];
  readonly #onChange: () => void;
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #asking: Promise<void> | undefined;

  /** @param onChange when routes are others than before because of it */
  constructor(sites: readonly FollowedSite[], onChange: () => void) {
    this.#sites = sites;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.ask(), intervalMs);
    this.#timer.unref();
  }

  /** Resolves when it is known, or cannot be. */
  async ask(): Promise<void> {
    this.#asking ??= this.#askAll();
    await this.#asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#over.abort();
    await this.#asking;
  }

  async #askAll(): Promise<void> {
    const { signal } = this.#over;
    try {
      const changed = await Promise.all(
        this.#sites.map(({ connection, mesh }) => askSidecars(connection, mesh, signal)),
      );
      if (changed.some(Boolean) && !signal.aborted) this.#onChange();
    } finally {
      this.#asking = undefined;
    }
  }
}
