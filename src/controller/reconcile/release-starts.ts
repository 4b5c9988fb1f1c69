import type { ReleaseStatus } from "../../api/types.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ControllerJournal } from "../controlled-releases.ts";
import { startRelease, type StartParts } from "../start-release.ts";
import { isEnded } from "../status/build-status.ts";
import type { Standing } from "../status/conditions.ts";
import { readStatus } from "../status/write-status.ts";

export interface StartsParts extends StartParts {
  readonly journal: Pick<ControllerJournal, "generationOf">;
}

/** What an object has begun so far, and whether it was told to begin anew. */
export interface Beginning {
  readonly release: ReleaseStatus | undefined;
  readonly isOrdered: boolean;
}

/** Where an object stands, and when to look again at one that could not begin. */
interface Stand {
  readonly standing: Standing;
  readonly againMs?: number;
}

/** Begins releases, those of which an object asks for the first time and those that were changed, and knows which still wait. */
export class ReleaseStarts {
  readonly #parts: StartsParts;
  /** Those that could not begin, by key, and how often that was. */
  readonly #waiting = new Map<string, number>();

  constructor(parts: StartsParts) {
    this.#parts = parts;
  }

  waiting(): Iterable<string> {
    return this.#waiting.keys();
  }

  forget(key: string): void {
    this.#waiting.delete(key);
  }

  /** What the object is now, after it has begun where it should. */
  stand(key: string, object: KubeObject, { release, isOrdered }: Beginning): Stand {
    if (release !== undefined && !isOrdered && !this.#beginsAnew(object, release)) {
      this.#waiting.delete(key);
      return { standing: { kind: "begun", release } };
    }
    const standing = startRelease(object, this.#parts);
    if (standing.kind === "begun") {
      this.#waiting.delete(key);
      return { standing };
    }
    const tries = this.#waiting.get(key) ?? 0;
    this.#waiting.set(key, tries + 1);
    const againMs = Math.min(300_000, 5_000 * 2 ** Math.min(tries, 6));
    return { standing: release === undefined ? standing : { kind: "begun", release }, againMs };
  }

  /**
   * A changed spec is begun when the one before is done. After any other end it is begun only where it was changed after
   * that end: whoever has just seen it rolled back does not want it to go forward again by itself.
   */
  #beginsAnew(object: KubeObject, release: ReleaseStatus): boolean {
    const { generation = 0 } = object.metadata;
    const started = this.#parts.journal.generationOf(release.id);
    if (!isEnded(release) || started === undefined || generation === started) return false;
    if (release.phase === "done") return true;
    const { endedGeneration, release: told } = readStatus(object);
    return told === release.id && endedGeneration !== undefined && generation > endedGeneration;
  }
}
