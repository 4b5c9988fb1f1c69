import type { UnreachableProxies } from "../../core/manifest/release.ts";
import type { ProofState } from "./describe-proof.ts";

export interface PassingOver {
  readonly unreachable: UnreachableProxies;
  /** When the proxies were told. */
  readonly toldMs: number;
  /** Whether this proxy refused before this way back was written, and does so still. */
  readonly isPassedRefusal: (id: string) => boolean;
}

/** How long a proxy has to be silent, or to go on refusing, before what may go on without it does. */
const giveUpAfterMs = 3_000;

/**
 * Whether what is proved is enough without the proxies that are open: each of them cannot be reached, where the file says
 * to go on then, or refuses what a way back does not wait for. Never where no proxy has shown it.
 */
export function mayPassOver(
  { open, watches, ignorant, nowMs }: ProofState,
  { unreachable, toldMs, isPassedRefusal }: PassingOver,
): boolean {
  if (open.length === watches.length || nowMs - toldMs < giveUpAfterMs) return false;
  if (unreachable !== "goOn" && ignorant.length > 0) return false;
  return open.every(
    ({ proxy, standing }) =>
      isPassedRefusal(proxy.id) ||
      (unreachable === "goOn" && standing.kind === "unreachable" && nowMs - standing.sinceMs >= giveUpAfterMs),
  );
}
