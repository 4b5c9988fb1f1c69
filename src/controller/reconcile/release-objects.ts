import type { KubeObject } from "../../kubernetes/kube-object.ts";

/** The Releases of the cluster, as a watch keeps them. */
export interface ReleaseObjects {
  /** By `namespace/name`. */
  get(key: string): KubeObject | undefined;
  keys(): readonly string[];
  /** Takes what a write has answered at once. */
  take(object: KubeObject): void;
}
