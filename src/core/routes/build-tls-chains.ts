import { buildHttpChain, type BuiltChain, type ChainBuilding, describeServer, markServed } from "./build-http-chain.ts";
import { buildSniRoutes, buildTcpRoute, type TcpPlace } from "./build-tcp-route.ts";
import type { BoundServer } from "./gateway-servers.ts";
import { reportGatewayServer, reportRefusedTcp } from "./report-gateway-server.ts";
import type { FilterChain } from "./route-table.ts";
import type { TlsTermination } from "./route-table-tls.ts";
import { buildTermination, endsTls } from "./tls-termination.ts";

/**
 * One chain for each server that ends TLS, and one for each rule of a server that passes it through, told apart by the
 * name that a client asks for. What is missing to serve one chain keeps no other from serving.
 * Source: Istio `pilot/pkg/networking/core/gateway.go`, buildGatewayTCPBasedFilterChains.
 */
export function buildTlsChains(building: ChainBuilding): readonly BuiltChain[] {
  const taken = new Map<string, string>();
  return building.listener.servers.flatMap((bound) => buildServer(bound, { building, taken }));
}

interface TlsBuilding {
  readonly building: ChainBuilding;
  /** Names and whose they are; `*` is every name that no chain has. */
  readonly taken: Map<string, string>;
}

function buildServer(bound: BoundServer, { building, taken }: TlsBuilding): readonly BuiltChain[] {
  const { findings, workload, sink, listenerId } = building;
  const { tls, port } = bound.server;
  if (tls === undefined) {
    return [];
  }
  const id = `${listenerId}/${bound.gateway}/${port.name}`;
  if (tls.mode === "PASSTHROUGH") {
    return passThrough(bound, { building, taken, id });
  }
  if (!endsTls(tls)) {
    const reason = `${tls.mode} needs ${tls.mode === "ISTIO_MUTUAL" ? "certificates of the mesh" : "other clusters"}, which are not here`;
    reportGatewayServer(findings, bound, { code: "KIR1111", reason });
    return [];
  }
  const ended = buildTermination({ ...tls, mode: tls.mode }, { secrets: sink.secrets, namespace: workload.namespace });
  if (ended.kind === "missing") {
    // Of the Secret of an Ingress `check` has said so already, with all that is known of it.
    if (bound.resource.startsWith("Gateway ")) {
      reportGatewayServer(findings, bound, { code: "KIR1112", reason: ended.reason });
    }
    return [];
  }
  const names = claim(
    bound.bindings.map(({ host }) => host),
    { taken, owner: `server ${bound.server.name}` },
  );
  if (typeof names === "string") {
    reportGatewayServer(findings, bound, { code: "KIR1113", reason: names });
    return [];
  }
  if (port.protocol.toUpperCase() === "HTTPS") {
    const built = buildHttpChain(building, [bound], { id, isTls: true });
    return [{ ...built, chain: { ...built.chain, serverNames: names, tls: ended.tls } }];
  }
  return terminatedTcp(bound, { building, id, serverNames: names, tls: ended.tls });
}

/** TLS that ends here, with plain bytes behind it. */
function terminatedTcp(
  bound: BoundServer,
  parts: Pick<FilterChain, "id" | "serverNames"> & { readonly tls: TlsTermination; readonly building: ChainBuilding },
): readonly BuiltChain[] {
  const { building, id, serverNames, tls } = parts;
  const result = buildTcpRoute(placeOf(bound, building));
  switch (result.kind) {
    case "none":
      reportGatewayServer(building.findings, bound, {
        code: "KIR1115",
        reason: "no tcp rule of a VirtualService is for it",
      });
      return [];
    case "refused":
      reportRefusedTcp(building.findings, result);
      return [];
    case "route": {
      markServed(building.served, result.virtualService);
      const serves = { kind: "tcp" as const, route: result.route };
      return [{ chain: { id, servers: [describeServer(bound)], serverNames, tls, serves }, routing: undefined }];
    }
  }
}

function passThrough(
  bound: BoundServer,
  { building, taken, id }: TlsBuilding & { readonly id: string },
): readonly BuiltChain[] {
  const { findings, served } = building;
  const routes = buildSniRoutes(placeOf(bound, building));
  if (routes.length === 0) {
    reportGatewayServer(findings, bound, { code: "KIR1115", reason: "no tls rule of a VirtualService is for it" });
  }
  const chains: BuiltChain[] = [];
  for (const { sniHosts, virtualService, result } of routes) {
    if (result.kind === "none") {
      continue;
    }
    if (result.kind === "refused") {
      reportRefusedTcp(findings, result);
      continue;
    }
    const { route } = result;
    const where = `rule ${route.origin.rule} of VirtualService ${route.origin.virtualService}`;
    const serverNames = claim(sniHosts, { taken, owner: where });
    if (typeof serverNames === "string") {
      reportGatewayServer(findings, bound, { code: "KIR1113", reason: `${where} is left out, because ${serverNames}` });
      continue;
    }
    markServed(served, virtualService);
    const chain: FilterChain = {
      id: `${id}/${route.origin.virtualService}/${route.origin.rule}.${route.origin.match ?? 0}`,
      servers: [describeServer(bound)],
      serverNames,
      tls: undefined,
      serves: { kind: "tcp", route },
    };
    chains.push({ chain, routing: undefined });
  }
  return chains;
}

function placeOf(bound: BoundServer, { byGateway, destinations }: ChainBuilding): TcpPlace {
  return { bound, virtualServices: byGateway.get(bound.gateway) ?? [], destinations };
}

/**
 * Names for one chain, sorted, or why it cannot have them: two chains with one name make a proxy refuse the listener.
 * With `*` among the names the chain takes whatever no other takes.
 */
function claim(
  names: readonly string[],
  { taken, owner }: { readonly taken: Map<string, string>; readonly owner: string },
): readonly string[] | string {
  const wanted = names.includes("*") ? ["*"] : [...new Set(names)].toSorted();
  const clash = wanted.find((name) => taken.has(name));
  if (clash !== undefined) {
    return `${taken.get(clash) ?? ""} takes ${clash === "*" ? "every name" : clash} already`;
  }
  for (const name of wanted) {
    taken.set(name, owner);
  }
  return wanted[0] === "*" ? [] : wanted;
}
