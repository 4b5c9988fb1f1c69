import type { UpEvent } from "../app-types.ts";
import { splitsOf } from "../core/routes/weights.ts";
import type { Engine } from "../engine/engine.ts";
import type { LiveMesh } from "./live-mesh.ts";

/** What has to be at hand to end a move that broke off. */
export interface BrokenMoves {
  readonly current: Pick<LiveMesh, "table">;
  readonly engine: Pick<Engine, "recover">;
  onEvent(event: UpEvent): void;
}

/**
 * Ends moves that broke off because the journal could not be written, so that what comes next is planned from what is
 * live. Throws KIR2024 while it still cannot be written.
 */
export async function endBrokenMoves(broken: BrokenMoves): Promise<void> {
  const { current, engine } = broken;
  let splits: ReturnType<typeof splitsOf> | undefined;
  // Thousands of rules are looked through only where a move did break off.
  const isKnown = (split: string): boolean => (splits ??= splitsOf(current.table)).has(split);
  for (const { id, virtualService, message } of await engine.recover(isKnown)) {
    broken.onEvent({ kind: "warning", message: `${id} of ${virtualService}: ${message}` });
  }
}
