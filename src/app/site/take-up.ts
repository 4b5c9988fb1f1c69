import type { ReleaseBackend, ReleaseOrder, ReleaseStatus } from "../../api/types.ts";
import { isMoving } from "../../core/release/state/release-phase.ts";
import type { MeshReleases } from "../releases.ts";

/** What one release is told before anything of it goes on. */
export interface FirstOrder {
  /** `namespace/name`. */
  readonly release: string;
  /** Undefined has nothing to say: it goes on as it was left. */
  readonly order: ReleaseOrder | undefined;
  /** How it is then. */
  readonly onTold: (status: ReleaseStatus) => void;
}

/**
 * Goes on with what was left; with one release alone, and as it was told, where somebody has come for that one.
 * @throws KIR2034 for what it cannot do now; nothing of it has gone on then
 */
export function takeUp(
  releases: Pick<MeshReleases, "resume"> & Pick<ReleaseBackend, "get" | "order">,
  first: FirstOrder | undefined,
): void {
  if (first === undefined) return releases.resume();
  const { release, order, onTold } = first;
  const { id, phase } = releases.get(release);
  const told = order === undefined ? undefined : releases.order(release, order);
  // What follows from the order is under way; a move of before is not yet.
  if (told === undefined || isMoving({ kind: phase })) releases.resume(id);
  onTold(told ?? releases.get(release));
}
