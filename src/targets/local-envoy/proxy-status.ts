import type { ProxyStatus, ProxyTypeStatus } from "../../engine/ports.ts";
import { resourceTypes } from "../../xds/resource-types.ts";
import type { XdsServer } from "../../xds/server.ts";
import { overallVersion } from "../../xds/snapshot.ts";
import type { LocalProxy } from "./local-proxy.ts";

export function renderProxyStatus(server: XdsServer, proxy: LocalProxy): ProxyStatus {
  const connected = server.connected.includes(proxy.node);
  return {
    node: proxy.node,
    connected,
    pid: proxy.pid?.(),
    types: connected ? resourceTypes.map((type) => renderType(server, proxy.node, type)) : [],
  };
}

function renderType(server: XdsServer, node: string, type: (typeof resourceTypes)[number]): ProxyTypeStatus {
  const state = server.proxyState(node, type);
  const resources = server.snapshot?.[type];
  const version = resources === undefined ? undefined : overallVersion(resources);
  return {
    type,
    sentVersion: version,
    ackedVersion: state?.isSettled === true ? version : undefined,
    nack: state?.nack?.message,
  };
}
