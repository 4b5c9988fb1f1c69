import type { MeasuredChange } from "./compiled-mesh.ts";
import type { MeshShape } from "./mesh-texts.ts";

export type ChangeKind =
  | "rules of an exact host"
  | "rules of a wildcard host"
  | "a VirtualService added"
  | "a VirtualService removed"
  | "a DestinationRule's policy"
  | "endpoints of a service";

/** What one process measured about one mesh. */
export interface MeshMeasurement extends MeshShape {
  /** All texts to a route table with all findings; then until Envoy has everything and serves. */
  readonly buildMs: number;
  readonly readyMs: number;
  readonly changes: readonly (readonly [ChangeKind, readonly MeasuredChange[]])[];
  /** Of the process that builds and pushes, after all changes. */
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly envoyRssBytes: number;
  /** The look at the mesh as a whole that `check` takes beside building. */
  readonly checkMs: number;
  readonly explainsPerSecond: number;
}
