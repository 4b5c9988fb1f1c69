import { once } from "node:events";
import { createServer, type Server } from "node:http";

export interface Health {
  /** Whether it sees the cluster as it is. */
  readonly isReady: boolean;
  /** In a few words, for people. */
  readonly text: string;
  /** By the name of the metric. */
  readonly figures: Readonly<Record<string, number>>;
}

const limits = { requestTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };

/**
 * What the kubelet and Prometheus ask, in plain HTTP: `/healthz` is answered while this process works at all, `/readyz`
 * when it sees the cluster as it is, whether it leads or waits. It tells nothing that is not for everybody.
 */
export class HealthServer implements AsyncDisposable {
  readonly port: number | undefined;
  readonly #server: Server | undefined;

  private constructor(server: Server | undefined, port: number | undefined) {
    this.#server = server;
    this.port = port;
  }

  /** Port 0 takes a free one, undefined serves nothing. Rejects where the port is taken. */
  static async start(port: number | undefined, look: () => Health): Promise<HealthServer> {
    if (port === undefined) return new HealthServer(undefined, undefined);
    const server = createServer(limits, (request, response) => {
      const { status, body } = answer(request.url ?? "/", look);
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(body);
      request.resume();
    });
    // The kubelet and Prometheus need a few.
    server.maxConnections = 64;
    server.listen(port);
    await once(server, "listening");
    const address = server.address();
    return new HealthServer(server, typeof address === "object" && address !== null ? address.port : port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
}

function answer(path: string, look: () => Health): { readonly status: number; readonly body: string } {
  switch (path) {
    case "/healthz":
      return { status: 200, body: "ok\n" };
    case "/readyz": {
      const { isReady, text } = look();
      return { status: isReady ? 200 : 503, body: `${text}\n` };
    }
    case "/metrics":
      return { status: 200, body: renderMetrics(look().figures) };
    default:
      return { status: 404, body: "There are /healthz, /readyz and /metrics.\n" };
  }
}

/** Prometheus' text format. */
function renderMetrics(figures: Health["figures"]): string {
  const memory = process.memoryUsage().rss;
  return Object.entries({ ...figures, process_resident_memory_bytes: memory })
    .map(([name, value]) => `# TYPE ${name} gauge\n${name} ${value}\n`)
    .join("");
}
