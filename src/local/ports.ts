import { createServer } from "node:net";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { serversOf } from "../core/routes/listener-parts.ts";
import type { Listener } from "../core/routes/route-table.ts";
import { findPortOwner, holdsPort } from "./port-owner.ts";
import { systemErrorCode } from "./system-error.ts";

/** The part of a listener that decides where it is on this machine. */
export type PortedListener = Pick<Listener, "id" | "proxy" | "port" | "filterChains">;

/** Local port by listener id. */
export type GatewayPorts = ReadonlyMap<string, number>;

export interface GatewayPortOptions {
  /** Values of `--gateway-port`: `80=8080`, or `namespace/name:80=9080` for one gateway. */
  readonly overrides: readonly string[];
  /** What the running listeners have; they keep it, and overrides without a listener are tolerated. */
  readonly previous?: GatewayPorts | undefined;
}

/** Ports below this need a privilege. */
const firstFreePort = 1024;
const privilegedShift = 8000;
const workloadShift = 1000;
const highestPort = 65_535;

interface Override {
  readonly text: string;
  readonly gateway: string | undefined;
  readonly port: number;
  readonly localPort: number;
}

/**
 * Decides where each listener is on this machine. Ports below 1024 move up by 8000; the second workload on a port moves
 * a further 1000, ingress gateways first and then by the workloads' labels; an override wins. The same input gives the same ports.
 * @throws KirikaeError KIR5010 for an override that cannot be read or names nothing, KIR5011 for two listeners on one
 * local port; exit status 2.
 */
export function planGatewayPorts(listeners: readonly PortedListener[], options: GatewayPortOptions): GatewayPorts {
  const overrides = options.overrides.map(parseOverride);
  if (options.previous === undefined) checkOverrides(overrides, listeners);
  const ports = new Map<string, number>();
  const sorted = listeners.toSorted((a, b) => a.port - b.port || compareProxies(a.proxy, b.proxy));
  const shared = new Map<number, number>();
  const keptPorts = new Set(sorted.map((listener) => options.previous?.get(listener.id)));
  for (const listener of sorted) {
    const kept = options.previous?.get(listener.id);
    if (kept !== undefined) {
      ports.set(listener.id, kept);
      continue;
    }
    const own = overrides.find((each) => each.gateway !== undefined && isMeant(each, listener))?.localPort;
    if (own !== undefined) {
      ports.set(listener.id, own);
      continue;
    }
    let rank = shared.get(listener.port) ?? 0;
    const first = sharedPort(listener, overrides);
    while (keptPorts.has(first + rank * workloadShift)) rank += 1;
    shared.set(listener.port, rank + 1);
    ports.set(listener.id, first + rank * workloadShift);
  }
  checkCollisions(sorted, ports);
  return ports;
}

/**
 * Tries whether the ports can be listened on. A port that one of `ownPids` holds (the Envoy that was adopted) is fine.
 * @throws KirikaeError KIR5012, exit status 3, saying who listens where that can be found out.
 */
export async function checkPortsFree(
  listeners: readonly PortedListener[],
  options: { ports: GatewayPorts; address: string; ownPids: readonly number[] },
): Promise<void> {
  for (const listener of listeners) {
    const port = options.ports.get(listener.id);
    if (port === undefined) continue;
    const failure = await tryListen(options.address, port);
    if (failure === undefined || options.ownPids.some((pid) => holdsPort(pid, port))) continue;
    throw takenError(listener, port, failure);
  }
}

/** Requests from outside enter at an ingress gateway, so that the port that is asked for is its. */
function compareProxies(one: string, other: string): number {
  return Number(isIngress(other)) - Number(isIngress(one)) || compareText(one, other);
}

function isIngress(proxy: string): boolean {
  return /(?:^|[=,-])ingress/u.test(proxy);
}

function parseOverride(text: string): Override {
  const found = /^(?:([^/:=\s]+\/[^/:=\s]+):)?(\d{1,5})=(\d{1,5})$/.exec(text.trim());
  const port = Number(found?.[2]);
  const localPort = Number(found?.[3]);
  if (found === null || !isPort(port) || !isPort(localPort)) {
    throw new KirikaeError("KIR5010", `--gateway-port ${JSON.stringify(text)} is not understood.`, {
      exitStatus: 2,
      hint: "Write 80=8080, or namespace/name:80=9080 for one gateway; ports are 1 to 65535.",
    });
  }
  return { text, gateway: found[1], port, localPort };
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= highestPort;
}

function isMeant(override: Override, listener: PortedListener): boolean {
  if (override.port !== listener.port) return false;
  return override.gateway === undefined || serversOf(listener).some((server) => server.gateway === override.gateway);
}

function sharedPort(listener: PortedListener, overrides: readonly Override[]): number {
  const override = overrides.find((each) => each.gateway === undefined && isMeant(each, listener));
  if (override !== undefined) return override.localPort;
  return listener.port < firstFreePort ? listener.port + privilegedShift : listener.port;
}

function checkOverrides(overrides: readonly Override[], listeners: readonly PortedListener[]): void {
  const seen = new Map<string, Override>();
  for (const override of overrides) {
    const key = `${override.gateway ?? ""}:${override.port}`;
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      throw new KirikaeError("KIR5010", `--gateway-port says both ${earlier.text} and ${override.text}.`, {
        exitStatus: 2,
        hint: "Leave one of them out.",
      });
    }
    seen.set(key, override);
    if (listeners.some((listener) => isMeant(override, listener))) continue;
    const known = listeners.flatMap((each) => serversOf(each).map((server) => `${server.gateway}:${each.port}`));
    const list = [...new Set(known)].toSorted(compareText);
    throw new KirikaeError("KIR5010", `--gateway-port ${override.text} names a gateway port that does not exist.`, {
      exitStatus: 2,
      hint: list.length === 0 ? "The manifests declare no gateway." : `There are: ${list.join(", ")}.`,
      details: { gateways: list },
    });
  }
}

function checkCollisions(listeners: readonly PortedListener[], ports: GatewayPorts): void {
  const byPort = new Map<number, PortedListener>();
  for (const listener of listeners) {
    const port = ports.get(listener.id) ?? 0;
    const other = byPort.get(port);
    if (other === undefined && port <= highestPort) {
      byPort.set(port, listener);
      continue;
    }
    const name = describe(listener);
    const message =
      other === undefined
        ? `${name} would be on port ${port}, which does not exist.`
        : `${describe(other)} and ${name} would both be on port ${port} of this machine.`;
    const gateway = serversOf(listener)[0]?.gateway;
    const target = gateway === undefined ? String(listener.port) : `${gateway}:${listener.port}`;
    throw new KirikaeError("KIR5011", message, {
      exitStatus: 2,
      hint: `Move one of them, for example with --gateway-port ${target}=${freeNumber(ports)}.`,
    });
  }
}

function freeNumber(ports: GatewayPorts): number {
  const taken = new Set(ports.values());
  let port = 9080;
  while (taken.has(port)) port += 1;
  return port;
}

function describe(listener: PortedListener): string {
  const gateways = [...new Set(serversOf(listener).map((server) => server.gateway))];
  const who = gateways.length === 0 ? listener.proxy : gateways.join(", ");
  return `port ${listener.port} of gateway ${who}`;
}

/** The error's code when nobody can listen there; undefined when one can. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      const code = systemErrorCode(error);
      if (code === undefined) reject(error);
      else resolve(code);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

function takenError(listener: PortedListener, port: number, code: string): KirikaeError {
  const what = describe(listener);
  if (code !== "EADDRINUSE") {
    return new KirikaeError("KIR5012", `Port ${port}, for ${what}, cannot be listened on: ${code}.`, {
      exitStatus: 3,
      hint: `Choose another with --gateway-port ${listener.port}=${Math.min(highestPort, port + privilegedShift)}.`,
    });
  }
  const owner = findPortOwner(port);
  const who = owner === undefined ? "another process" : `${owner.command} (pid ${owner.pid})`;
  return new KirikaeError("KIR5012", `Port ${port}, for ${what}, is taken by ${who}.`, {
    exitStatus: 3,
    hint: `Stop it, or choose another port with --gateway-port ${listener.port}=PORT.`,
    details: { port, ...(owner === undefined ? {} : { pid: owner.pid, command: owner.command }) },
  });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
