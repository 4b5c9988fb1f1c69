import { renderLine } from "../../core/diagnostics/position.ts";
import type { ListedChain, ListedHost, ListedListener, ListedRoute, RouteListing } from "../list-routes.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";
import { renderTable } from "../terminal.ts";
import { renderAction, renderArms, renderExtras } from "./route-words.ts";

/** Listener by listener, host by host, each route in the order in which it is tried. */
export function renderRoutes({ listeners, unserved }: RouteListing, ink: Ink): string {
  const parts = listeners.flatMap((listener) => [
    ink.bold(renderListener(listener)),
    ...listener.filterChains.flatMap((chain) => renderChain(chain, ink)),
  ]);
  const lost = unserved.map(({ virtualService, madeFrom, host, reason, at }) => [
    neutraliseLine(host),
    `${madeFrom ?? `VirtualService ${virtualService}`}: ${reason}`,
    ink.dim(renderLine(at)),
  ]);
  if (parts.length === 0) parts.push("no listener");
  return [...parts, ...(lost.length === 0 ? [] : [ink.bold("not served"), renderTable(lost, "  ")])].join("\n");
}

function renderListener({ port, bind, proxy, role, service }: ListedListener): string {
  const place = bind === null ? `port ${port}` : `port ${port} on ${bind}`;
  if (proxy.kind === "gateway") return `${place}, gateway workload ${proxy.id}`;
  if (role === "inbound") return `${place}, into ${proxy.id}`;
  return `${place}, out of ${proxy.id} to ${service ?? "every HTTP service"}`;
}

function renderChain(chain: ListedChain, ink: Ink): readonly string[] {
  const head = renderChainHead(chain);
  const tcp =
    chain.tcp === null
      ? []
      : [
          renderTable(
            [[renderArms(chain.tcp.arms), renderOrigin(chain.tcp), ink.dim(renderLine(chain.tcp.at))]],
            "    ",
          ),
        ];
  return [...(head === "" ? [] : [`  ${head}`]), ...tcp, ...chain.virtualHosts.map((host) => renderHost(host, ink))];
}

function renderChainHead({ serverNames, tls, servers, tcp }: ListedChain): string {
  const names = serverNames.length === 0 ? "" : `SNI ${serverNames.join(" ")}`;
  const ending =
    tls === null ? (tcp !== null && serverNames.length > 0 ? "TLS passed through" : "") : `TLS ${tls.mode}`;
  const certificates = tls === null ? "" : `with ${tls.certificates.join(", ")}`;
  const by = servers.map(({ gateway, server }) => `${gateway} server ${server}`).join(", ");
  return [ending, certificates, names, by === "" ? "" : `(${by})`].filter((part) => part !== "").join(" ");
}

function renderHost({ domain, aliases, requiresHttps, routes }: ListedHost, ink: Ink): string {
  const more = aliases.length === 0 ? "" : ink.dim(` also ${aliases.join(" ")}`);
  const head = `  ${ink.cyan(domain)}${more}`;
  const redirect = requiresHttps
    ? [["", "every request over plain HTTP", "httpsRedirect", "", "redirect 301 to https"]]
    : [];
  const rows = routes.map((route, index) => renderRoute(route, index, ink));
  if (rows.length + redirect.length === 0) return `${head}\n    no route: 404`;
  return `${head}\n${renderTable([...redirect, ...rows], "    ")}`;
}

function renderRoute(route: ListedRoute, index: number, ink: Ink): readonly string[] {
  const extras = renderExtras(route);
  return [
    String(index + 1),
    neutraliseLine(route.conditions),
    neutraliseLine(renderOrigin(route)),
    ink.dim(neutraliseLine(renderLine(route.at))),
    // Last, because it may be long.
    neutraliseLine([renderAction(route.action), ...extras].join("; ")),
  ];
}

/** Rules that nobody wrote are those that callers inside the mesh meet by default. */
function renderOrigin({
  virtualService,
  madeFrom,
  rule,
  match,
  ...rest
}: Pick<ListedRoute, "virtualService" | "madeFrom" | "rule" | "match">): string {
  if (madeFrom !== null) return madeFrom;
  if (virtualService === "") return "(no VirtualService)";
  const name = "name" in rest && typeof rest.name === "string" ? ` (${rest.name})` : "";
  return `${virtualService} rule ${rule}${match === null ? "" : ` match ${match}`}${name}`;
}
