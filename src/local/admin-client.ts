import { request } from "node:http";

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
}

export interface AdminRequestOptions {
  /** From the call to the last byte of the answer; 2 s where it is not given. */
  readonly timeoutMs?: number | undefined;
  /** A longer answer is refused; 64 MiB where it is not given. */
  readonly maxBytes?: number | undefined;
}

/** Envoy's admin interface over its Unix socket (Envoy doc: operations/admin). One connection a request. */
export class AdminClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Rejects with the socket's error (ENOENT, ECONNREFUSED, ...), or with an Error after the timeout. */
  get(path: string, options: AdminRequestOptions = {}): Promise<AdminAnswer> {
    return this.#send("GET", path, options);
  }

  post(path: string, options: AdminRequestOptions = {}): Promise<AdminAnswer> {
    return this.#send("POST", path, options);
  }

  /** `/ready` answers 200 `LIVE` once the first configuration is in use; false while nobody answers. */
  async isLive(options: AdminRequestOptions = {}): Promise<boolean> {
    try {
      return (await this.get("/ready", options)).status === 200;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  #send(method: "GET" | "POST", path: string, options: AdminRequestOptions): Promise<AdminAnswer> {
    const timeoutMs = options.timeoutMs ?? 2_000;
    const maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    return new Promise((resolve, reject) => {
      const sent = request(
        { socketPath: this.socketPath, method, path, agent: false, headers: { host: "envoy-admin" } },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxBytes) sent.destroy(new Error(`${method} ${path} answered more than ${maxBytes} bytes`));
            else chunks.push(chunk);
          });
          response.on("error", reject);
          response.on("end", () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
          });
        },
      );
      const deadline = setTimeout(() => {
        sent.destroy(new Error(`${method} ${path} on Envoy's admin socket had no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      sent.on("error", reject);
      sent.on("close", () => clearTimeout(deadline));
      sent.end();
    });
  }
}
