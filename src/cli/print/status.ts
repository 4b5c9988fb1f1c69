import type {
  InboundStatus,
  ProxyStatus,
  ReleaseSummary,
  ServiceStatus,
  Status,
  TrafficSample,
  VersionStatus,
} from "../../api/types.ts";
import { neutraliseLine } from "../neutralise.ts";
import { isCalled } from "../../core/release/move/is-called.ts";
import { inkVersion, type Ink } from "../ink.ts";
import { renderClusterRelease } from "./cluster-release.ts";
import { renderReleaseTree } from "./release-tree.ts";
import { renderTable } from "../terminal.ts";
import { renderDuration } from "../../core/diagnostics/render-duration.ts";
import { countOf, renderRate } from "./words.ts";

/** What `status` shows: the mesh, and the releases under way. */
export interface StatusView extends Status {
  readonly releases: readonly ReleaseSummary[];
}

export interface StatusOptions {
  readonly ink: Ink;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly columns: number;
  /** Somebody asked for one service or release: of the rest of the mesh, only what is not as it should be is shown. */
  readonly isAboutOne: boolean;
}

/** Gateways, services with their versions and releases, proxies and what is not as it should be. */
export function renderStatus(status: StatusView, options: StatusOptions): string {
  const { ink, isAboutOne } = options;
  const parts = [
    renderGateways(status, ink),
    ...status.services.map((service) => renderService(service, status, options)),
    ...renderHomeless(status, options),
    ...(status.clusterReleases ?? []).map((release) => renderClusterRelease(release, ink)),
    renderProxies(status.proxies, ink),
    renderWorkloads(status, options),
    isAboutOne ? "" : renderInbound(status, ink),
    isAboutOne ? "" : renderCallers(status, ink),
    renderRefused(status, ink),
    renderTroubles(status, ink),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Each release whole under the first of its services that is shown, and under the others what they have of it. */
function renderReleasesOf(
  { virtualService }: ServiceStatus,
  { releases, services, additions }: StatusView,
  options: StatusOptions,
): readonly string[] {
  return releases
    .filter((release) => release.services.includes(virtualService))
    .map((release) => {
      const home = services.find((each) => release.services.includes(each.virtualService));
      const isAtHome = home?.virtualService === virtualService;
      const shown = release.services.filter((name) => services.some((each) => each.virtualService === name));
      return renderReleaseTree(release, {
        ...options,
        additions,
        indent: "  ",
        service: shown.length > 1 ? virtualService : undefined,
        extent: isAtHome ? "whole" : "share",
      });
    });
}

/** A release whose services are no longer routed is still under way. */
function renderHomeless({ releases, services, additions }: StatusView, options: StatusOptions): readonly string[] {
  return releases
    .filter((release) => !services.some(({ virtualService }) => release.services.includes(virtualService)))
    .map((release) =>
      renderReleaseTree(release, { ...options, additions, indent: "", service: undefined, extent: "whole" }),
    );
}

function renderGateways({ gateways }: Status, ink: Ink): string {
  if (gateways.length === 0) return `${ink.bold("Gateways")}  none`;
  const rows = gateways.map((gateway) => [
    gateway.gateway,
    gateway.server,
    gateway.hosts.join(", "),
    `port ${gateway.port} at ${gateway.address}`,
  ]);
  return `${ink.bold("Gateways")}\n${renderTable(rows, "  ")}`;
}

function renderService(service: ServiceStatus, view: StatusView, options: StatusOptions): string {
  const { ink } = options;
  // While weights are shifted, the live version is the one that goes on being so, whatever its share is now.
  const isSplit = service.live === undefined || service.versions.some(({ role }) => role === "split");
  const live = isSplit ? "traffic is split" : `${inkVersion(ink, service.live ?? "")} is live`;
  const moved = service.isMoved ? ink.dim(" (moved from what the manifest says)") : "";
  const heading = `${ink.bold(service.virtualService)}  ${service.hosts.join(", ")}  ${live}${moved}`;
  const rows = service.versions.map((version) => renderVersion(service, version, ink));
  const releases = renderReleasesOf(service, view, options);
  if (rows.length === 0) return [heading, ...releases].join("\n");
  const titles = ["VERSION", "ROLE", "SHARE", "READY", "REQ/S", "ERR/S"].map((title) => ink.dim(title));
  return [heading, renderTable([titles, ...rows], "  "), ...releases].join("\n");
}

function renderVersion(service: ServiceStatus, version: VersionStatus, ink: Ink): readonly string[] {
  const ready = `${version.readyEndpoints}/${version.endpoints}`;
  const errors = renderRate(version.errorsPerSecond);
  return [
    inkVersion(ink, version.name),
    version.role,
    publicShare(service, version.name),
    version.readyEndpoints === 0 ? ink.red(ready) : ready,
    renderRate(version.requestsPerSecond),
    version.errorsPerSecond > 0 ? ink.red(errors) : errors,
  ];
}

/** The version's share of the public rules; a range where they differ. */
function publicShare(service: ServiceStatus, version: string): string {
  const shares = service.rules
    .filter((rule) => rule.role === "public" && version in rule.weights)
    .map((rule) => {
      const sum = Object.values(rule.weights).reduce((total, weight) => total + weight, 0);
      return sum === 0 ? 0 : Math.round(((rule.weights[version] ?? 0) / sum) * 1000) / 10;
    });
  if (shares.length === 0) return "-";
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return least === most ? `${least} %` : `${least}-${most} %`;
}

function renderProxies(proxies: readonly ProxyStatus[], ink: Ink): string {
  if (proxies.length === 0) return `${ink.bold("Proxies")}  ${ink.red("none")}`;
  const rows = proxies.map((proxy) => [
    proxy.node,
    renderConnection(proxy, ink),
    proxy.pid === undefined ? "" : `pid ${proxy.pid}`,
    renderConfiguration(proxy, ink),
  ]);
  return `${ink.bold("Proxies")}\n${renderTable(rows, "  ")}`;
}

function renderConnection({ connected, unknown }: ProxyStatus, ink: Ink): string {
  if (unknown !== undefined) return ink.yellow("not known");
  return connected ? ink.green("connected") : ink.red("not connected");
}

function renderConfiguration(proxy: ProxyStatus, ink: Ink): string {
  if (proxy.unknown !== undefined) return ink.yellow(neutraliseLine(proxy.unknown));
  const refused = proxy.types.filter((type) => type.nack !== undefined);
  if (refused.length > 0) {
    return ink.red(refused.map((type) => `${type.type} refused: ${type.nack ?? ""}`).join("; "));
  }
  const waiting = proxy.types.filter((type) => type.sentVersion !== type.ackedVersion);
  if (waiting.length > 0) return ink.yellow(`waiting for ${waiting.map((type) => type.type).join(", ")}`);
  return proxy.connected ? "has acknowledged everything" : "";
}

function renderWorkloads({ workloads }: Status, { ink, isAboutOne }: StatusOptions): string {
  const rows = workloads.flatMap((workload) =>
    workload.replicas
      .filter(({ ready }) => !isAboutOne || !ready)
      .map((replica) => [
        workload.name,
        replica.address,
        replica.ready ? ink.green("ready") : ink.red("not ready"),
        replica.restarts === 0 ? "" : ink.yellow(`${replica.restarts} restarts`),
        replica.ready ? "" : (replica.logFile ?? ""),
      ]),
  );
  if (rows.length === 0) return "";
  return `${ink.bold("Workloads")}\n${renderTable(rows, "  ")}`;
}

/** What reached the workloads, whoever sent it; a port that nothing has reached is left out. */
function renderInbound({ inbound }: Status, ink: Ink): string {
  const used = inbound.filter(({ requests, connections, refused }) => requests + connections + refused > 0);
  if (used.length === 0) return "";
  const titles = ["WORKLOAD", "PORT", "IN", "2XX", "4XX", "5XX", "TURNED AWAY", "P50", "P99"].map((title) =>
    ink.dim(title),
  );
  return `${ink.bold("Inbound, by the workloads' sidecars")}\n${renderTable([titles, ...used.map((each) => renderInboundPort(each, ink))], "  ")}`;
}

function renderInboundPort(port: InboundStatus, ink: Ink): readonly string[] {
  const { workload, replica, protocol, requests, connections, byClass, errors, refused, latency } = port;
  const name = `${workload} replica ${replica}`;
  const turnedAway = refused > 0 ? ink.red(String(refused)) : "0";
  if (protocol === "tcp")
    return [name, String(port.port), countOf(connections, "connection"), "", "", "", turnedAway, "", ""];
  return [
    name,
    String(port.port),
    countOf(requests, "request"),
    String(byClass["2xx"]),
    String(byClass["4xx"]),
    errors > 0 ? ink.red(String(errors)) : "0",
    turnedAway,
    latency === null ? "-" : renderDuration(latency.p50Ms),
    latency === null ? "-" : renderDuration(latency.p99Ms),
  ];
}

/** Who sends requests inside the mesh; one without a sidecar ignores every rule, and that has to be seen. */
function renderCallers({ callers }: Status, ink: Ink): string {
  if (callers.every(({ proxy }) => proxy === null)) return "";
  const rows = callers.map(({ workload, proxy, withoutSidecar }) => [
    workload,
    proxy === null
      ? ink.yellow(`no sidecar, so no rule applies: ${withoutSidecar ?? ""}`)
      : `sends through http://${proxy}`,
  ]);
  return `${ink.bold("Callers inside the mesh")}\n${renderTable(rows, "  ")}`;
}

function renderRefused({ refusedManifests }: Status, ink: Ink): string {
  if (refusedManifests.length === 0) return "";
  const heading = ink.red(ink.bold("The manifests on disk were refused; the earlier ones still run"));
  return [heading, ...refusedManifests.map((text) => `  ${text}`)].join("\n");
}

function renderTroubles({ site }: Status, ink: Ink): string {
  if (site === undefined || site.troubles.length === 0) return "";
  const heading = ink.red(ink.bold(`The cluster ${neutraliseLine(site.context)} cannot be seen as it is`));
  return [heading, ...site.troubles.map((text) => `  ${neutraliseLine(text)}`)].join("\n");
}

/** A line for each service and second, for pipes. */
export function renderSampleLines(sample: TrafficSample, name: string | undefined): string {
  const time = new Date(sample.atMs).toISOString();
  return sample.services
    .filter((service) => name === undefined || isCalled(service.virtualService, name))
    .map((service) => {
      const versions = service.versions.map(
        (version) =>
          `${version.name} ${renderRate(version.requestsPerSecond)}/s errors ${renderRate(version.errorsPerSecond)}/s`,
      );
      return `${time} ${service.virtualService} ${versions.join(" ")}`;
    })
    .join("\n");
}
