import type { OwnedAddition } from "../routes/route-addition.ts";
import type { RouteTable, WeightOverrides } from "../routes/route-table.ts";
import type { SiteRefusal } from "./refuse-site.ts";
import type { SiteObject } from "./site-object.ts";

export interface SiteChange {
  /** VirtualServices as they are live, own routes included; those that are not given are not written. */
  readonly objects: readonly SiteObject[];
  /** Built of them, own routes left out. */
  readonly table: RouteTable;
  readonly weights: WeightOverrides;
  /** All that releases have laid, not only what is new. */
  readonly additions: readonly OwnedAddition[];
  /** Releases (`namespace/name`) whose own routes may be taken away; absent allows all. */
  readonly releases?: ReadonlySet<string>;
}

/** One VirtualService that has to change. */
export interface SiteWrite {
  /** `namespace/name`. */
  readonly name: string;
  /**
   * What to apply, as one field manager: name, resourceVersion, `spec.http` in whole, and the annotation that says what
   * was added. Annotations of whoever moves are the caller's to add.
   */
  readonly object: SiteObject;
}

export type SiteWritePlan = { readonly kind: "writes"; readonly writes: readonly SiteWrite[] } | SiteRefusal;

export function planSiteWrites(_change: SiteChange): SiteWritePlan {
  return { kind: "writes", writes: [] };
}
