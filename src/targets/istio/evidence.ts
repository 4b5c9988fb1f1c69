import type { SyncedTypeName } from "../../core/site/read-sync.ts";
import type { IstiodPlace } from "./site-view.ts";
import type { ProxyAdmin } from "./proxy-admin.ts";

/** What a proxy has of what it should have. */
export type Sight =
  | { readonly kind: "shown" }
  /** Something else, in words that follow "it". */
  | { readonly kind: "other"; readonly text: string }
  /** Nothing of it: this proxy is not concerned, or has not been told yet. */
  | { readonly kind: "absent" };

/** What proxies have to show, and how it is seen. */
export interface Evidence {
  /** The type of resource that carries it, whose refusals count. */
  readonly type: SyncedTypeName;
  /** Differs whenever the proxy has taken something that could change what it shows; cheap. */
  stamp(admin: ProxyAdmin): Promise<string>;
  judge(admin: ProxyAdmin): Promise<Sight>;
  /** What istiod would send to the proxy now. */
  judgeView(istiod: IstiodPlace, proxyId: string): Promise<Sight>;
}
