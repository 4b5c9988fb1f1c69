import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a port of this machine that a test can cut, or leave open while nothing comes through. */
export class CutConnection implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: "open" | "cut" | "silent" = "open";

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(target: number): Promise<CutConnection> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connection = new CutConnection(server, (server.address() as { readonly port: number }).port);
    server.on("connection", (socket) => connection.#join(socket, target));
    return connection;
  }

  /** Ends all connections, and every new one at once. */
  cut(): void {
    this.#state = "cut";
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Keeps connections and takes new ones, and carries nothing. */
  silence(): void {
    this.#state = "silent";
    for (const socket of this.#sockets) socket.pause();
  }

  open(): void {
    this.#state = "open";
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #join(near: Socket, target: number): void {
    if (this.#state === "cut") {
      near.destroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (chunk) => to.write(chunk));
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      // The other side is told by the end of its own connection.
      from.on("error", () => {});
      if (this.#state === "silent") from.pause();
    }
  }
}
