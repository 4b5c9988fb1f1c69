import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { type KubeConnection, readBody } from "./kube-connection.ts";
import { kubeKinds } from "./kube-kinds.ts";
import { pathOfObject, withQuery } from "./kube-paths.ts";
import type { PodPlace, ReachOptions } from "./pod-reach.ts";
import { readRefusal } from "./refusal.ts";

/** Understood by every kubelet since 1.4; each message begins with the number of its channel. */
const protocol = "v4.channel.k8s.io";
const dataChannel = 0;
const errorChannel = 1;

/** Each channel begins with the port's number, in two bytes. */
const greetingBytes = 2;
const defaultTimeoutMs = 10_000;

/**
 * Forwards one connection to a port of a pod.
 * @throws KubeError where the API server refuses it or is not reached. A pod that takes no connection shows later, as an
 * error of the stream.
 */
export async function openPort(connection: KubeConnection, place: PodPlace, options: ReachOptions): Promise<Duplex> {
  const { timeoutMs = defaultTimeoutMs } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const path = withQuery(pathOfObject(kubeKinds.pod, place.pod, "portforward"), { ports: String(place.port) });
  try {
    const socket = await connection.openWebSocket(path, protocol, signal);
    const stream = new ForwardedPort(socket);
    await opened(socket, { connection, place, path, signal });
    return stream;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw connection.unreachable(error, limit.aborted ? timeoutMs : undefined);
  }
}

interface Opening {
  readonly connection: KubeConnection;
  readonly place: PodPlace;
  readonly path: string;
  readonly signal: AbortSignal;
}

function opened(socket: WebSocket, { connection, place, path, signal }: Opening): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      socket.terminate();
    };
    const refuse = async (response: IncomingMessage): Promise<void> => {
      const answer = { status: response.statusCode ?? 0, body: await readBody(response) };
      const about = {
        kind: kubeKinds.pod,
        subresource: "portforward",
        name: place.pod,
        namespace: place.pod.namespace,
      };
      if (answer.status === 401) connection.signedOut();
      reject(readRefusal(answer, { context: connection.context, verb: "create", path, ...about }));
      socket.terminate();
    };
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("unexpected-response", (_request, response: IncomingMessage) => void refuse(response).catch(reject));
    socket.once("error", reject);
    socket.once("open", () => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    });
    if (signal.aborted) giveUp();
  });
}

/**
 * The bytes of channel 0; what comes on channel 1 is why there are no more. An agent of node:http keeps it as it keeps a
 * socket, of which it asks what stands below.
 */
class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  readonly #greeted = new Set<number>();
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#take(data));
    // Before it is open, `opened` says what went wrong.
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.push(null));
    this.on("error", () => socket.terminate());
  }

  /** The connection to the API server has its own. */
  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Emits `timeout` so long after this call; 0 ends the waiting. */
  setTimeout(afterMs: number): this {
    clearTimeout(this.#idle);
    if (afterMs > 0) this.#idle = setTimeout(() => this.emit("timeout"), afterMs);
    return this;
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(dataChannel), chunk]), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // The protocol has no half of an end: closing now would cut off the answer.
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#socket.terminate();
    done(error);
  }

  #take(message: Buffer): void {
    const channel = message[0] ?? 0;
    const isGreeting = !this.#greeted.has(channel);
    this.#greeted.add(channel);
    const bytes = message.subarray(isGreeting ? 1 + greetingBytes : 1);
    if (bytes.length === 0) return;
    if (channel === errorChannel) this.destroy(new Error(bytes.toString("utf8").trim()));
    else if (channel === dataChannel && !this.push(bytes)) this.#socket.pause();
  }
}
