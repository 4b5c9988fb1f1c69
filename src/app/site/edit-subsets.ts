import { KirikaeError } from "../../core/diagnostics/error.ts";
import { nameRelease } from "../../core/release/move/name-mover.ts";
import type { SubsetEdit } from "../../core/release/subset/subset-edit.ts";
import type { OnWait, SubsetOrder, SubsetProof } from "../../engine/release-ports.ts";
import type { SiteTarget } from "../../targets/istio/site-target.ts";

interface Editing {
  readonly target: Pick<SiteTarget, "editSubsets">;
  readonly timeoutMs: number;
  readonly onWait: OnWait | undefined;
}

/**
 * Edits DestinationRules one after the other, each proved at the proxies before the next. What was done already is
 * proved again. Throws KIR4061 where one is refused or not proved; those before it stay, and done again they are as done.
 */
export async function editSubsets(order: SubsetOrder, { target, timeoutMs, onWait }: Editing): Promise<SubsetProof> {
  const notes: string[] = [];
  for (const edit of order.edits) {
    const report = await target.editSubsets(edit, {
      movedBy: nameRelease(order.release),
      timeoutMs: order.proof?.timeoutMs ?? timeoutMs,
      ...(order.proof?.unreachable !== undefined && { unreachable: order.proof.unreachable }),
      ...(order.takeOver !== undefined && { takeOver: order.takeOver }),
      ...(onWait !== undefined && { onProgress: onWait }),
    });
    if (report.kind === "rejected")
      throw notEdited(edit, `${report.node} refused ${report.resource}: ${report.message}`);
    if (report.kind === "unproved") throw notEdited(edit, report.message);
    if (report.note !== undefined) notes.push(report.note);
  }
  return notes.length === 0 ? {} : { note: [...new Set(notes)].join("; ") };
}

function notEdited({ destinationRule }: SubsetEdit, why: string): KirikaeError {
  return new KirikaeError("KIR4061", `The subsets of the DestinationRule ${destinationRule} are not proved: ${why}.`, {
    exitStatus: 1,
    hint: "Put right what is named, then retry the release.",
  });
}
