import type { ProxyStatus } from "../../engine/ports.ts";
import { readControlPlane } from "../../targets/istio/control-plane.ts";
import { renderSiteStatus } from "../../targets/istio/render-status.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import { findIstiods } from "./connection/find-istiods.ts";

/** What istiod has told the proxies that are connected to it, and what could not be asked, in words. */
export interface SiteProxies {
  readonly proxies: readonly ProxyStatus[];
  readonly troubles: readonly string[];
}

/** Asks every replica of istiod. Never rejects for one that does not answer. */
export async function readSiteProxies(connection: Pick<SiteConnection, "istiods">): Promise<SiteProxies> {
  const places = await findIstiods(connection);
  if (typeof places === "string") return { proxies: [], troubles: [places] };
  if (places.length === 0) return { proxies: [], troubles: ["no ready pod of istiod was found"] };
  const reading = await readControlPlane(places);
  const troubles = [...reading.silent].map(([place, why]) => `${place} does not answer: ${why}`);
  return { proxies: renderSiteStatus(reading, []), troubles };
}
