import { setTimeout as delay } from "node:timers/promises";
import type { ReleaseLive, ReleaseStatus } from "../../api/types.ts";
import type { ControlledReleases } from "../controlled-releases.ts";
import { isEnded } from "./build-status.ts";

/** What was asked before, and how many events the release had had then. */
interface KnownLive {
  readonly events: number;
  readonly live: ReleaseLive | undefined;
}

const changesWeights: ReadonlySet<string> = new Set(["moved", "partlyBack", "moveFailed", "overruled"]);
const patienceMs = 3_000;

/** What the proxies use of a release: asked once for each event that may change them, and left out where they do not answer soon. */
export async function askLive(
  { id, events, phase }: ReleaseStatus,
  { known, releases }: { readonly known: KnownLive | undefined; readonly releases: Pick<ControlledReleases, "look"> },
): Promise<ReleaseLive | undefined> {
  if (isEnded({ phase })) return undefined;
  if (known?.events === events.length) return known.live;
  // Until something has moved, the proxies use what the routes say; and a hold or a yes changes nothing there.
  const last = events.at(-1)?.kind;
  if (last === undefined || !changesWeights.has(last)) return known?.live;
  const timeUp = new AbortController();
  const late = delay(patienceMs, undefined, { signal: timeUp.signal, ref: false }).catch(() => undefined);
  try {
    const looked = await Promise.race([releases.look([id]), late]);
    return looked?.get(id);
  } finally {
    timeUp.abort();
  }
}
