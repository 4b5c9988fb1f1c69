import type { OwnedAddition } from "../routes/route-addition.ts";
import { refuseWrite, type SiteRefusal } from "./refuse-site.ts";

/** What a VirtualService has no words for, said when a release is planned; undefined where all of it can be written. */
export function complainAdditions(additions: readonly OwnedAddition[]): SiteRefusal | undefined {
  for (const { addition, release } of additions) {
    if (addition.kind === "affinity") {
      return refuseWrite("KIR4025", {
        message: `The release ${release} keeps visitors on their version (sessionAffinity), which Istio cannot do for weights.`,
        hint: "Leave sessionAffinity out in a cluster, or send the first visitors by a preview with a cookie.",
      });
    }
    if (addition.kind === "mirror" && addition.through !== undefined) return refuseComparison(release);
  }
  return undefined;
}

/** Who compares is known when copies are laid; that they are to be compared is known when a release is planned. */
export function refuseComparison(release: string): SiteRefusal {
  return refuseWrite("KIR4026", {
    message: `The release ${release} compares what copies answer, which needs a proxy of kirikae's own.`,
    hint: "Leave compare out of the mirror step in a cluster, and judge the new version by its own figures.",
  });
}
