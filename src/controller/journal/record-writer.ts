import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { RecordWrite, WriteAnswer } from "./write-record.ts";

/** Writes one record and returns when it is known what became of it, or when the time is over. */
export interface RecordWriter extends AsyncDisposable {
  write(write: RecordWrite): WriteAnswer;
}

/** How the thread that writes reaches the API server: as the rest of the process does, on connections of its own. */
export type WriterConnection =
  | { readonly kind: "context"; readonly context: string | undefined; readonly kubeconfig: string | undefined }
  | { readonly kind: "inCluster" };

/** What a worker is given when it starts. */
export interface WorkerStart {
  readonly connection: WriterConnection;
  readonly port: MessagePort;
  /** One 32-bit number that counts answers. */
  readonly answered: SharedArrayBuffer;
  readonly timeoutMs: number;
}

export interface WorkerRequest {
  readonly id: number;
  readonly write: RecordWrite;
}

export interface WorkerAnswer {
  readonly id: number;
  readonly answer: WriteAnswer;
}

interface RunningThread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly answered: Int32Array;
}

/** It keeps no more than a ConfigMap or two; without limits its garbage would take as much as the controller has to itself. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

/** Longer than the thread's own time, which ends with an answer. */
const graceMs = 500;

/**
 * A thread that speaks to the API server while this one waits. `Journal.append` returns only when the record is kept,
 * and nothing of this process may act in between; a thread is the only way to wait for a socket without letting
 * anything else run. The wait is bounded, so that a slow API server delays this process and never stops it.
 */
export class ThreadedRecordWriter implements RecordWriter {
  readonly #connection: WriterConnection;
  readonly #timeoutMs: number;
  #running: RunningThread | undefined;
  #lastId = 0;

  constructor(connection: WriterConnection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  write(write: RecordWrite): WriteAnswer {
    const { port, answered } = (this.#running ??= this.#start());
    this.#lastId += 1;
    const id = this.#lastId;
    const deadline = performance.now() + this.#timeoutMs + graceMs;
    let seen = Atomics.load(answered, 0);
    port.postMessage({ id, write } satisfies WorkerRequest);
    for (;;) {
      const answer = takeAnswer(port, id);
      if (answer !== undefined) return answer;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return { kind: "unknown", message: "the API server has not answered in time" };
      Atomics.wait(answered, 0, seen, leftMs);
      seen = Atomics.load(answered, 0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.port.close();
    await running?.worker.terminate();
  }

  #start(): RunningThread {
    const { port1, port2 } = new MessageChannel();
    const answered = new SharedArrayBuffer(4);
    const start: WorkerStart = { connection: this.#connection, port: port2, answered, timeoutMs: this.#timeoutMs };
    const options = { workerData: start, transferList: [port2], name: "journal", resourceLimits };
    const worker = new Worker(workerFile, options);
    const running = { worker, port: port1, answered: new Int32Array(answered) };
    // A thread that has ended says nothing more; the next write starts another one.
    const forget = (): void => {
      if (this.#running === running) this.#running = undefined;
    };
    worker.on("error", forget);
    worker.on("exit", forget);
    worker.unref();
    port1.unref();
    return running;
  }
}

/** Beside this file, and compiled as it is. */
const ownUrl = import.meta.url;
const workerFile = new URL(`./journal-worker${ownUrl.slice(ownUrl.lastIndexOf("."))}`, ownUrl);

/** An answer that comes after its time is none: the journal has asked for what became of it in another way. */
function takeAnswer(port: MessagePort, id: number): WriteAnswer | undefined {
  for (;;) {
    const received: { readonly message: WorkerAnswer } | undefined = receiveMessageOnPort(port);
    if (received === undefined) return undefined;
    if (received.message.id === id) return received.message.answer;
  }
}
