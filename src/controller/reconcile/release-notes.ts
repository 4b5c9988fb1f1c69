import type { ReleaseStatus } from "../../api/types.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { CarriedOut } from "../orders/carry-out-order.ts";
import type { ClusterEvents } from "../cluster-events.ts";
import { describeTurn } from "../describe-turn.ts";

export interface NoteParts {
  readonly events: Pick<ClusterEvents, "tell">;
  readonly onNote: (message: string) => void;
}

/** Tells the cluster, and whoever reads the log, what happens to releases: each event once. */
export class ReleaseNotes {
  readonly #parts: NoteParts;
  /** How many events of each, by uid, were told. */
  readonly #told = new Map<string, number>();

  constructor(parts: NoteParts) {
    this.#parts = parts;
  }

  forget(uid: string): void {
    this.#told.delete(uid);
  }

  tellTurn({ metadata }: KubeObject, release: ReleaseStatus): void {
    if (this.#isTold(metadata.uid ?? "", release)) return;
    for (const note of describeTurn(release)) {
      this.#parts.events.tell(metadata, note);
      this.#parts.onNote(`${metadata.namespace ?? ""}/${metadata.name}: ${note.message}`);
    }
  }

  tellOrder({ metadata }: KubeObject, { order }: CarriedOut): void {
    const isRefused = order.state === "Refused";
    this.#parts.events.tell(metadata, {
      type: isRefused ? "Warning" : "Normal",
      reason: isRefused ? "OrderRefused" : "OrderAccepted",
      message: `${order.order} by ${order.actor}${isRefused ? `: ${order.message ?? ""}` : ""}`,
    });
  }

  /** A release also says anew what it waits for, and nothing has happened to it then. */
  #isTold(uid: string, { events }: ReleaseStatus): boolean {
    const told = this.#told.get(uid);
    this.#told.set(uid, events.length);
    return told === events.length;
  }
}
