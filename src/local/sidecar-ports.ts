import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { Listener } from "../core/routes/route-table.ts";
import { FreePorts } from "./free-port.ts";
import { holdsPort } from "./port-owner.ts";
import type { GatewayPorts } from "./ports.ts";
import { writePrivateFile } from "./state-folder.ts";
import { systemErrorCode } from "./system-error.ts";

/** Below the ports that systems give to outgoing connections, so that none of those takes one that is free for a while. */
const firstPort = 20_000;
const lastPort = 29_999;
/** Of listeners that are gone for now, more are forgotten. */
const maxRemembered = 5_000;

export interface SidecarPortOptions {
  /** Ports of gateways, which are chosen by the manifests. */
  readonly taken: Iterable<number>;
  /** Processes that may hold these ports already: the Envoy that was adopted. */
  readonly ownPids: readonly number[];
}

/**
 * Where the listeners of workloads are on this machine. A listener keeps its port for as long as the state folder exists,
 * because processes that run on were told about it; only where another program has taken it meanwhile does it get a new
 * one. Each state folder begins elsewhere in the range, so that two meshes rarely meet.
 */
export class SidecarPorts {
  readonly #file: string;
  readonly #known: Map<string, number>;
  readonly #checked = new Set<string>();

  private constructor(file: string, known: ReadonlyMap<string, number>) {
    this.#file = file;
    this.#known = new Map(known);
  }

  static async open(file: string): Promise<SidecarPorts> {
    return new SidecarPorts(file, await readPorts(file));
  }

  /** Local ports by listener id, for all listeners that workloads send to. */
  async plan(listeners: readonly Pick<Listener, "id" | "role">[], options: SidecarPortOptions): Promise<GatewayPorts> {
    const ports = new Map<string, number>();
    const given = new Set([...options.taken, ...this.#known.values()]);
    const probe = new FreePorts();
    let tried = 0;
    const takeNext = async (): Promise<number> => {
      for (; tried <= lastPort - firstPort; tried += 1) {
        const port = firstPort + ((startIn(this.#file) + tried) % (lastPort - firstPort + 1));
        if (given.has(port) || !(await probe.isFree(port))) continue;
        given.add(port);
        return port;
      }
      throw noPortLeft();
    };
    for (const { id } of listeners.filter(hasOwnPort)) {
      let port = this.#known.get(id);
      if (port === undefined || !(await this.#isOurs(id, port, { probe, options }))) {
        port = await takeNext();
        this.#known.set(id, port);
      }
      this.#checked.add(id);
      ports.set(id, port);
    }
    if (this.#known.size > maxRemembered) {
      for (const id of this.#known.keys()) if (!ports.has(id)) this.#known.delete(id);
    }
    await writePrivateFile(this.#file, `${JSON.stringify(Object.fromEntries(this.#known), undefined, 2)}\n`);
    return ports;
  }

  /** Once this process has listened there, it is its own. */
  async #isOurs(
    id: string,
    port: number,
    { probe, options }: { readonly probe: FreePorts; readonly options: SidecarPortOptions },
  ): Promise<boolean> {
    if (this.#checked.has(id)) return true;
    if ([...options.taken].includes(port)) return false;
    return (await probe.isFree(port)) || options.ownPids.some((pid) => holdsPort(pid, port));
  }
}

/** Those of gateways are chosen by the manifests, and inbound ones have no address. */
function hasOwnPort({ role }: Pick<Listener, "role">): boolean {
  return role.kind === "outboundHttp" || role.kind === "outboundService";
}

/** The range is walked from a place of the folder's own. */
function startIn(file: string): number {
  return createHash("sha256").update(file).digest().readUInt32BE(0) % (lastPort - firstPort + 1);
}

function noPortLeft(): KirikaeError {
  return new KirikaeError("KIR5012", `No port from ${firstPort} to ${lastPort} is free for the workloads' sidecars.`, {
    exitStatus: 3,
    hint: "Stop what listens there, or run fewer workloads with a sidecar.",
  });
}

/** A file that cannot be read is as good as none: ports are then chosen anew. */
async function readPorts(file: string): Promise<ReadonlyMap<string, number>> {
  try {
    const content: unknown = JSON.parse(await readFile(file, "utf8"));
    if (typeof content !== "object" || content === null) return new Map();
    return new Map(
      Object.entries(content).filter((entry): entry is [string, number] => {
        const port: unknown = entry[1];
        return typeof port === "number" && Number.isInteger(port) && port >= firstPort && port <= lastPort;
      }),
    );
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === "ENOENT") return new Map();
    throw error;
  }
}
