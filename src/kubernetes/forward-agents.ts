import type { Agent as HttpAgent, ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { KubeApi } from "./kube-api.ts";
import { PodAgent } from "./pod-agent.ts";
import type { PodPlace } from "./pod-reach.ts";

/** Connections to one port of one pod, for requests of http and of https. Whoever made them destroys both. */
export interface ForwardAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** Opens nothing yet: each connection is a port-forward, made when a request needs it. */
export function createForwardAgents(
  api: Pick<KubeApi, "openPort">,
  place: PodPlace,
  { connections }: { readonly connections: number },
): ForwardAgents {
  return {
    http: new PodAgent(api, place, { connections }),
    https: new PodTlsAgent(api, { place, connections }),
  };
}

/** TLS inside of the port-forward, to whatever certificate the pod shows: the API server has said which pod it is. */
class PodTlsAgent extends HttpsAgent {
  readonly #api: Pick<KubeApi, "openPort">;
  readonly #place: PodPlace;
  readonly #closing = new AbortController();

  constructor(api: Pick<KubeApi, "openPort">, { place, connections }: { place: PodPlace; connections: number }) {
    super({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
    this.#api = api;
    this.#place = place;
  }

  override destroy(): void {
    this.#closing.abort();
    super.destroy();
  }

  override createConnection(
    options: RequestOptions & ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#connect(options.servername, callback);
    return undefined;
  }

  async #connect(
    servername: string | undefined,
    callback: ((error: Error | null, stream: Duplex) => void) | undefined,
  ): Promise<void> {
    let stream: Duplex | undefined;
    let failure: Error | null = null;
    try {
      const socket = await this.#api.openPort(this.#place, { signal: this.#closing.signal });
      stream = connectTls({ socket, servername, rejectUnauthorized: false });
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- beside an error, node:http does not look at it.
    callback?.(failure, stream as Duplex);
  }
}
