import { Agent, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import type { KubeApi } from "./kube-api.ts";
import type { PodPlace } from "./pod-reach.ts";

/** As long as a release proves a step, its proxies are asked several times a second. */
const idleMs = 20_000;

/** Questions beyond wait for their turn. */
const mostConnections = 4;

/** Connections to one port of one pod, each a port-forward, which are made anew for none of the questions in a row. */
export class PodAgent extends Agent {
  readonly #api: Pick<KubeApi, "openPort">;
  readonly #place: PodPlace;
  readonly #closing = new AbortController();

  constructor(
    api: Pick<KubeApi, "openPort">,
    place: PodPlace,
    { connections = mostConnections }: { readonly connections?: number } = {},
  ) {
    super({ keepAlive: true, timeout: idleMs, maxSockets: connections, maxFreeSockets: 1 });
    this.#api = api;
    this.#place = place;
  }

  get isIdle(): boolean {
    return [this.sockets, this.freeSockets, this.requests].every((each) => Object.keys(each).length === 0);
  }

  override destroy(): void {
    this.#closing.abort();
    super.destroy();
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect(callback);
    return undefined;
  }

  async #connect(callback: ((error: Error | null, stream: Duplex) => void) | undefined): Promise<void> {
    let stream: Duplex | undefined;
    let failure: Error | null = null;
    try {
      stream = await this.#api.openPort(this.#place, { signal: this.#closing.signal });
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- beside an error, node:http does not look at it.
    callback?.(failure, stream as Duplex);
  }
}
