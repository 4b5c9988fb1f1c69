import type { CatalogueEntry } from "./catalogue-entry.ts";

/** KIR1340 to KIR1359: what a cluster does with an object before istiod reads it, and what silences findings about it. */
export const admissionFindings = {
  KIR1340: {
    level: "error",
    blocksServing: false,
    title: "refused by Istio's admission webhook",
    meaning:
      "istiod and kirikae read it in one way, and requests go so; but a cluster with Istio's webhook refuses the object, so it never gets there. Write what the hint says.",
    istioCode: "IST0106",
  },
  KIR1341: {
    level: "warning",
    title: "suppression in the wrong place",
    meaning:
      "Only the annotation kirikae.dev/ignore in the metadata of the object itself silences findings. Traffic is not touched; move the entry there.",
  },
} as const satisfies Record<string, CatalogueEntry>;
