import type { ReleaseBackend } from "../api/types.ts";
import type { KirikaeError } from "../core/diagnostics/error.ts";

/** The releases of the cluster, as the controller drives them; `MeshReleases` is what it is given. */
export interface ControlledReleases extends Pick<ReleaseBackend, "plan" | "start" | "get" | "look" | "order"> {
  /**
   * Takes a release that is over out of memory, and what it has left laid over routes away from them; resolves when the
   * proxies have shown that.
   */
  forget(id: string): Promise<void>;
}

/** What the controller asks its journal, beside what the engine writes into it. */
export interface ControllerJournal {
  /** Oldest first, the ids of what this Release has begun. */
  releaseIds(uid: string): readonly string[];
  generationOf(releaseId: string): number | undefined;
  damageOf(uid: string): KirikaeError | undefined;
  describe(release: { readonly name: string; readonly uid: string }): { readonly configMaps: readonly string[] };
  forget(uid: string): void;
}
