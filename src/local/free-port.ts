import { createServer } from "node:net";
import { systemErrorCode } from "./system-error.ts";

const loopback = "127.0.0.1";
const maxAttempts = 50;

/**
 * Hands out loopback ports that are free now and that this process gave to nobody else. Between the choice and the
 * moment when a child listens, another program can take one: the child fails then, and gets another port.
 */
export class FreePorts {
  readonly #given = new Set<number>();
  readonly #avoided: ReadonlySet<number>;
  readonly #choose: () => number;

  /** @param choose a port to try; 0, which is what it chooses where nothing is given, leaves that to the system */
  constructor(avoided: Iterable<number> = [], choose: () => number = () => 0) {
    this.#avoided = new Set(avoided);
    this.#choose = choose;
  }

  async take(): Promise<number> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const port = await listenOnce(this.#choose());
      if (port === undefined || this.#given.has(port) || this.#avoided.has(port)) continue;
      this.#given.add(port);
      return port;
    }
    throw new Error(`no free port on ${loopback} after ${maxAttempts} attempts`);
  }

  /** Keeps a port that is in use already, such as that of an adopted process. */
  keep(port: number): void {
    this.#given.add(port);
  }

  release(port: number): void {
    this.#given.delete(port);
  }

  /** Whether a program could listen on it now. */
  async isFree(port: number): Promise<boolean> {
    return (await listenOnce(port)) !== undefined;
  }
}

/** Listens and closes at once. @returns the port, or undefined when it is taken. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => {
      if (systemErrorCode(error) === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ host: loopback, port, exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === "object" && address !== null ? address.port : undefined;
      server.close(() => resolve(chosen));
    });
  });
}
