import { Agent, request, type ClientRequest, type RequestOptions } from "node:http";

export interface DemoTrafficOptions {
  /** Where the gateway listens, `127.0.0.1:8080`. */
  readonly address: string;
  /** The Host header of every request. */
  readonly host: string;
  readonly requestsPerSecond: number;
  /** Sent with one request in ten, so that the idle version is seen to answer testers. */
  readonly previewHeader?: { readonly name: string; readonly value: string };
}

const connections = 8;
const mostInFlight = 64;
const previewEvery = 10;
const requestTimeoutMs = 5_000;
const tickMs = 10;
/** What is caught up with after this process did not get to run: enough for hiccups, no flood after a long sleep. */
const mostBehindMs = 250;

/**
 * Sends steady GET requests to a gateway over keep-alive connections until disposed, so that a newcomer sees traffic
 * move. It proves nothing: a request that fails is forgotten here, and counted by the proxy's own ledger.
 */
export function startDemoTraffic(options: DemoTrafficOptions): AsyncDisposable {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
  const inFlight = new Set<ClientRequest>();
  let sent = 0;

  const send = (): void => {
    // A gateway that does not answer must not fill this process with waiting requests.
    if (inFlight.size >= mostInFlight) return;
    sent += 1;
    const running = request(requestOptions(options, agent, sent % previewEvery === 0));
    inFlight.add(running);
    running.on("response", (response) => response.resume());
    running.on("timeout", () => running.destroy());
    // Envoy restarting and the demo stopping both end connections; neither is this process's trouble.
    running.on("error", () => undefined);
    running.on("close", () => inFlight.delete(running));
    running.end();
  };

  // A timer comes late on a busy machine, so the clock says how many requests are due, and not the number of ticks.
  const intervalMs = 1_000 / options.requestsPerSecond;
  let dueAtMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    dueAtMs = Math.max(dueAtMs, nowMs - mostBehindMs);
    for (; dueAtMs <= nowMs; dueAtMs += intervalMs) send();
  }, tickMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      const closed = [...inFlight].map((running) => new Promise((resolve) => running.once("close", resolve)));
      for (const running of inFlight) running.destroy();
      await Promise.all(closed);
      agent.destroy();
    },
  };
}

function requestOptions(options: DemoTrafficOptions, agent: Agent, isPreview: boolean): RequestOptions {
  const [hostname = "", port = ""] = options.address.split(":");
  const preview = isPreview ? options.previewHeader : undefined;
  return {
    agent,
    hostname,
    port,
    path: "/",
    timeout: requestTimeoutMs,
    headers: { host: options.host, ...(preview === undefined ? {} : { [preview.name]: preview.value }) },
  };
}
