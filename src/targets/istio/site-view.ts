import type { RouteTable } from "../../core/routes/route-table.ts";
import type { KubeKind, KubeObject, ObjectName } from "../../kubernetes/kube-object.ts";

/** What is known of a site now, kept fresh by watches. */
export interface SiteView {
  /** Has the live weights as the declared ones, and leaves out kirikae's own routes. */
  readonly table: RouteTable;
  objects(kind: KubeKind): readonly KubeObject[];
  object(kind: KubeKind, name: ObjectName): KubeObject | undefined;
  /** The answer to a write, so that nothing is planned on what was before it. */
  take(object: KubeObject): void;
}

/** One replica of Istio's control plane, which knows only the proxies that are connected to it. */
export interface IstiodPlace {
  /** `namespace/pod` or the address that somebody named. */
  readonly name: string;
  /** False for one that is not Ready: it gets no new proxies, and goes on to serve those that it has. */
  readonly takesProxies?: boolean;
  /** GET of a debug page, such as `/debug/syncz`; rejects where it is not answered with 200. */
  get(path: string, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<string>;
}
