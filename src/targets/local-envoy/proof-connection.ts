import { connect, type Socket } from "node:net";
import { once } from "node:events";

/** One kept connection to the proof listener, and so to one worker thread. Requests go one at a time. */
export class ProofConnection {
  readonly #socket: Socket;
  #received = "";
  #waiting: { resolve(status: number): void; reject(error: Error): void } | undefined;
  #error: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("Envoy closed the proof connection")));
  }

  static async open(socketPath: string): Promise<ProofConnection> {
    const socket = connect(socketPath);
    await once(socket, "connect");
    return new ProofConnection(socket);
  }

  get isOpen(): boolean {
    return this.#error === undefined;
  }

  /** Sends `GET path` and returns the status; the proof listener's answers have no body. */
  get(path: string): Promise<number> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: kirikae\r\n\r\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end === -1) return;
    // "HTTP/1.1 200 OK"
    const status = Number(this.#received.slice(9, 12));
    this.#received = this.#received.slice(end + 4);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(status);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
