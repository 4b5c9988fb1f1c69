import { asObject, asText, readListed } from "../../core/site/json-value.ts";
import type { PodReach } from "../../kubernetes/pod-reach.ts";
import type { NeededProxy } from "./needed-proxies.ts";

/** Envoy's admin interface in a pod of Istio's (Istio, "Application requirements: ports used by Istio"). */
const adminPort = 15_000;

/** Says soon that a proxy does not answer, so that others are not waited for in vain. */
const stampTimeoutMs = 2_000;
/** A dump of thousands of routes has megabytes, and comes through two proxies. */
const dumpTimeoutMs = 15_000;

/** One proxy's own word. */
export interface ProxyAdmin {
  /**
   * Differs whenever the proxy has taken other routes: names, versions and times, without the routes, because a dump of
   * thousands of them keeps its main thread from taking new ones (Envoy doc: operations/admin, `config_dump?mask=`).
   */
  stampRoutes(): Promise<string>;
  dumpRoutes(): Promise<unknown>;
  /** Of whatever else it shows. */
  get(path: string, timeoutMs?: number): Promise<string>;
}

/** Asks one pod on its port 15000; the signal ends every question of it. */
export function createProxyAdmin(reach: PodReach, { pod }: Pick<NeededProxy, "pod">, signal?: AbortSignal): ProxyAdmin {
  const get = (path: string, timeoutMs = dumpTimeoutMs): Promise<string> =>
    reach.get({ pod, port: adminPort }, path, { timeoutMs, ...(signal !== undefined && { signal }) });
  return {
    get,
    async stampRoutes() {
      const path = "/config_dump?resource=dynamic_route_configs&mask=route_config.name,version_info,last_updated";
      return readListed(await get(path, stampTimeoutMs), "configs")
        .map((each) => [asObject(each["route_config"])["name"], each["version_info"], each["last_updated"]])
        .map((parts) => parts.map((part) => asText(part) ?? "").join(" "))
        .toSorted()
        .join("\n");
    },
    async dumpRoutes() {
      const dump: unknown = JSON.parse(await get("/config_dump?resource=dynamic_route_configs"));
      return dump;
    },
  };
}
