import { errorText } from "../../core/diagnostics/error-text.ts";
import { type SyncedProxy, readSync } from "../../core/site/read-sync.ts";
import { isNoAnswer } from "./is-no-answer.ts";
import type { IstiodPlace } from "./site-view.ts";

/** What all replicas of istiod say at one time. */
export interface ControlPlaneReading {
  /** By id; of a proxy that two replicas list, the one that told it something last. */
  readonly proxies: ReadonlyMap<string, ListedProxy>;
  readonly answered: readonly IstiodPlace[];
  /** Replicas that did not answer, with the reason; those that get no new proxies are left out. */
  readonly silent: ReadonlyMap<string, string>;
}

export interface ListedProxy {
  readonly istiod: IstiodPlace;
  readonly sync: SyncedProxy;
}

const syncTimeoutMs = 3_000;

/** Asks every replica, because each knows only its own proxies. Rejects for none that does not answer. */
export async function readControlPlane(
  istiods: readonly IstiodPlace[],
  signal?: AbortSignal,
): Promise<ControlPlaneReading> {
  const proxies = new Map<string, ListedProxy>();
  const answered: IstiodPlace[] = [];
  const silent = new Map<string, string>();
  await Promise.all(
    istiods.map(async (istiod) => {
      const listed = await readOne(istiod, signal);
      if (typeof listed === "string") {
        if (istiod.takesProxies !== false) silent.set(istiod.name, listed);
        return;
      }
      answered.push(istiod);
      for (const sync of listed) {
        const known = proxies.get(sync.proxy);
        if (known === undefined || lastSent(known.sync) < lastSent(sync)) proxies.set(sync.proxy, { istiod, sync });
      }
    }),
  );
  return { proxies, answered, silent };
}

/** A text says why it could not be read. */
async function readOne(istiod: IstiodPlace, signal: AbortSignal | undefined): Promise<readonly SyncedProxy[] | string> {
  try {
    const text = await istiod.get("/debug/syncz", {
      timeoutMs: syncTimeoutMs,
      ...(signal !== undefined && { signal }),
    });
    return readSync(JSON.parse(text));
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    return errorText(error);
  }
}

function lastSent({ types }: SyncedProxy): number {
  return Math.max(0, ...Object.values(types).map(({ sentAtMs = 0 }) => sentAtMs));
}
