import type { ProbeRequest, Probes } from "../../manifest/release.ts";
import { routingOf } from "../../routes/listener-parts.ts";
import type { FilterChain, Listener, Route, RouteTable, SplitId, VirtualHost } from "../../routes/route-table.ts";
import { simulate } from "../../routes/simulate.ts";
import type { SimulatedRequest } from "../../routes/simulation.ts";

/** A request that kirikae sends through a gateway, as any visitor could. */
export interface PlannedProbe {
  /** The id of the gateway's listener. */
  readonly listener: string;
  /** Whether the connection begins with TLS, for the name of the host. */
  readonly usesTls: boolean;
  readonly host: string;
  /** With its query. */
  readonly path: string;
  readonly method: "GET" | "HEAD";
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProbePlan {
  readonly probes: readonly PlannedProbe[];
  /** What is not asked, and why: one line each. */
  readonly leftOut: readonly string[];
}

/** More would take longer than a step. */
const mostProbes = 500;

/**
 * What is asked while these splits move: the requests that somebody has named, or else every host and path of the rules
 * that have them, at gateways. Each is held against the routes, so that none is sent that another rule takes.
 */
export function planProbes(table: RouteTable, { requests }: Probes, splits: ReadonlySet<SplitId>): ProbePlan {
  const planned = requests.length === 0 ? fromRules(table, splits) : fromRequests(table, requests, splits);
  const probes = new Map<string, PlannedProbe>();
  const leftOut = new Set<string>();
  for (const each of planned) {
    if (each.kind === "leftOut") leftOut.add(each.why);
    else if (probes.size >= mostProbes) leftOut.add(`what comes after the first ${mostProbes} requests`);
    else probes.set(JSON.stringify(each.probe), each.probe);
  }
  return { probes: [...probes.values()], leftOut: [...leftOut] };
}

type Planned =
  | { readonly kind: "probe"; readonly probe: PlannedProbe }
  | { readonly kind: "leftOut"; readonly why: string };

interface Entry {
  readonly listener: Listener;
  readonly chain: FilterChain;
}

function entriesOf({ listeners }: RouteTable): readonly Entry[] {
  return listeners
    .filter(({ role }) => role.kind === "gateway")
    .flatMap((listener) => listener.filterChains.map((chain) => ({ listener, chain })));
}

function fromRequests(
  table: RouteTable,
  requests: readonly ProbeRequest[],
  splits: ReadonlySet<SplitId>,
): readonly Planned[] {
  return requests.map((request) => {
    const ways = entriesOf(table).map((entry) => check(table, entry, { splits, wanted: { ...request, headers: {} } }));
    const name = `${request.method} ${request.host}${request.path}`;
    return ways.find(({ kind }) => kind === "probe") ?? leaveOut(`${name}, which no moved rule of a gateway takes`);
  });
}

function fromRules(table: RouteTable, splits: ReadonlySet<SplitId>): readonly Planned[] {
  return entriesOf(table).flatMap((entry) => {
    const hosts = routingOf(table, entry.chain)?.virtualHosts ?? [];
    return hosts.flatMap((host) =>
      host.routes
        .filter(({ action }) => action.kind === "forward" && splits.has(action.split.id))
        .map((route) => fromRule(table, { ...entry, host, route, splits })),
    );
  });
}

interface Rule extends Entry {
  readonly host: VirtualHost;
  readonly route: Route;
  readonly splits: ReadonlySet<SplitId>;
}

function fromRule(table: RouteTable, { host, route, splits, ...entry }: Rule): Planned {
  const wanted = buildRequest(host, route);
  return typeof wanted === "string" ? leaveOut(wanted) : check(table, entry, { splits, wanted });
}

type Wanted = Pick<PlannedProbe, "host" | "path" | "method" | "headers">;

/** A request that has all that a route asks for, or why there is none that can be made up. */
function buildRequest({ domain }: VirtualHost, { match }: Route): Wanted | string {
  const name = `${domain}${renderPath(match.path)}`;
  // A star stands for any name, and this one is nobody's.
  const host = domain.replace(/^\*/u, "kirikae-probe");
  const headers: Record<string, string> = {};
  let method: Wanted["method"] = "GET";
  for (const { name: header, value, invert } of match.headers) {
    if (invert) continue;
    if (value.kind === "regex") return `${name}, whose header ${header} is asked for by a pattern`;
    const text = value.kind === "present" ? "kirikae-probe" : value.value;
    if (header === ":method") {
      if (text !== "GET" && text !== "HEAD") return `${name}, which takes ${text} alone`;
      method = text;
    } else if (!header.startsWith(":")) headers[header] = text;
  }
  const query = match.query.map(({ name: parameter, value }) => {
    if (value.kind === "regex") return undefined;
    return `${encodeURIComponent(parameter)}=${value.kind === "present" ? "" : encodeURIComponent(value.value)}`;
  });
  if (query.includes(undefined)) return `${name}, whose query is asked for by a pattern`;
  if (match.path.kind === "regex") return `${name}, which is a pattern`;
  const path = match.path.value.startsWith("/") ? match.path.value : `/${match.path.value}`;
  return { host, path: query.length === 0 ? path : `${path}?${query.join("&")}`, method, headers };
}

function renderPath(path: Route["match"]["path"]): string {
  return path.kind === "exact" || path.kind === "regex" ? path.value : `${path.value}*`;
}

/** Whether this way leads the request to one of the splits. */
function check(
  table: RouteTable,
  { listener, chain }: Entry,
  { splits, wanted }: { readonly splits: ReadonlySet<SplitId>; readonly wanted: Wanted },
): Planned {
  const name = `${wanted.method} ${wanted.host}${wanted.path}`;
  if (chain.tls?.mode === "mutual") return leaveOut(`${name}, where the gateway asks for a client's certificate`);
  const usesTls = chain.tls !== undefined;
  const request: SimulatedRequest = {
    port: listener.port,
    proxy: listener.proxy,
    scheme: usesTls ? "https" : "http",
    authority: wanted.host,
    method: wanted.method,
    target: wanted.path,
    headers: Object.entries(wanted.headers),
  };
  const { result, listener: reached } = simulate(table, request);
  if (result.kind !== "route" || reached?.id !== listener.id || !splits.has(result.action.split.id)) {
    return leaveOut(`${name}, which another rule takes`);
  }
  return { kind: "probe", probe: { listener: listener.id, usesTls, ...wanted } };
}

function leaveOut(why: string): Planned {
  return { kind: "leftOut", why };
}
