import type { ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControlledReleases, ControllerJournal } from "../controlled-releases.ts";

export interface BegunParts {
  readonly releases: Pick<ControlledReleases, "get">;
  readonly journal: Pick<ControllerJournal, "releaseIds">;
}

/** Knows which release belongs to which object of the cluster. */
export class BegunReleases {
  readonly #parts: BegunParts;

  constructor(parts: BegunParts) {
    this.#parts = parts;
  }

  /** The id of what the object with this uid has begun last; undefined where it has begun nothing. */
  lastId(uid: string): string | undefined {
    return this.#parts.journal.releaseIds(uid).at(-1);
  }

  /** What this very object has begun last and nobody has forgotten; another one of its name before it does not count. */
  newest({ metadata }: KubeObject): ReleaseStatus | undefined {
    const { uid = "", namespace = "", name } = metadata;
    const id = this.lastId(uid);
    if (id === undefined) return undefined;
    const release = this.named(`${namespace}/${name}`);
    return release?.id === id ? release : undefined;
  }

  /** The newest of the name, whichever object has begun it. */
  named(key: string): ReleaseStatus | undefined {
    try {
      return this.#parts.releases.get(key);
    } catch (error) {
      if (error instanceof KirikaeError && error.code === "KIR2035") return undefined;
      throw error;
    }
  }
}
