import { setTimeout as delay } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { connectInCluster, connectKube } from "../../kubernetes/connect-kube.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import type { WorkerAnswer, WorkerRequest, WorkerStart } from "./record-writer.ts";
import { type RecordWrite, type WriteAnswer, writeRecord } from "./write-record.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ThreadedRecordWriter` is the only one that starts this.
const { connection, port, answered, timeoutMs } = workerData as WorkerStart;
const count = new Int32Array(answered);
let connecting: Promise<KubeApi> | undefined;
let before: Promise<void> = Promise.resolve();

port.on("message", ({ id, write }: WorkerRequest) => {
  // One after the other: what takes an earlier write back must not overtake it.
  before = before.then(async () => reply({ id, answer: await withinTime(write) }));
});

function reply(answer: WorkerAnswer): void {
  port.postMessage(answer);
  Atomics.add(count, 0, 1);
  Atomics.notify(count, 0);
}

async function withinTime(write: RecordWrite): Promise<WriteAnswer> {
  using timeUp = startTimer();
  return await Promise.race([carryOut(write), timeUp.over]);
}

async function carryOut(write: RecordWrite): Promise<WriteAnswer> {
  const deadline = performance.now() + timeoutMs;
  try {
    connecting ??= connect();
    const api = await connecting;
    return await writeRecord(write, { api, deadline, sleep: (durationMs) => delay(durationMs) });
  } catch (error) {
    // Whatever it was, the thread that waits is owed an answer, and nothing is known to be written.
    connecting = undefined;
    return { kind: "unknown", message: errorText(error) };
  }
}

async function connect(): Promise<KubeApi> {
  return connection.kind === "inCluster"
    ? await connectInCluster()
    : await connectKube({ context: connection.context, kubeconfig: connection.kubeconfig, env: process.env });
}

function startTimer(): Disposable & { readonly over: Promise<WriteAnswer> } {
  const { promise, resolve } = Promise.withResolvers<WriteAnswer>();
  const answer: WriteAnswer = { kind: "unknown", message: `no answer of the API server within ${timeoutMs} ms` };
  const timer = setTimeout(() => resolve(answer), timeoutMs);
  return { over: promise, [Symbol.dispose]: () => clearTimeout(timer) };
}
