import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { PlannedProbe } from "../core/release/plan/plan-probes.ts";
import type { ProbeFigures } from "../core/release/plan/probe-figures.ts";
import { probeAgent } from "../xds/probe-agent.ts";

export interface ProbeTrafficOptions {
  readonly probes: readonly PlannedProbe[];
  readonly perSecond: number;
  /** Where a gateway's listener is on this machine. */
  readonly locate: (listener: string) => { readonly address: string; readonly port: number } | undefined;
}

export interface ProbeTraffic {
  /**
   * Ends when each was sent once, or as soon as possible where that would take longer than 5 s; resolves when all that
   * were sent have been answered or given up.
   */
  end(): Promise<ProbeFigures>;
}

const mostInFlight = 64;
const timeoutMs = 5_000;
const tickMs = 10;
/** What is caught up with after this process did not get to run. */
const mostBehindMs = 250;
const longestEndMs = 5_000;
const mostFailures = 10;

/** Sends requests through the gateways, in turn and at a steady pace, until it is told to end. */
export function startProbeTraffic(options: ProbeTrafficOptions): ProbeTraffic {
  const run = new ProbeRun(options);
  return { end: () => run.end() };
}

class ProbeRun {
  readonly #options: ProbeTrafficOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: mostInFlight });
  // What is proved is that requests are answered; the names in certificates of this machine are nobody's proof.
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: mostInFlight, rejectUnauthorized: false });
  readonly #inFlight = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #allSent = Promise.withResolvers<void>();
  #dueAtMs = performance.now();
  #sent = 0;
  #ok = 0;
  #failed = 0;

  constructor(options: ProbeTrafficOptions) {
    this.#options = options;
    if (options.probes.length === 0) this.#allSent.resolve();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  async end(): Promise<ProbeFigures> {
    const givenUp = Promise.withResolvers<void>();
    const limit = setTimeout(() => givenUp.resolve(), longestEndMs);
    await Promise.race([this.#allSent.promise, givenUp.promise]);
    clearTimeout(limit);
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
    this.#http.destroy();
    this.#https.destroy();
    const unsent = Math.max(0, this.#options.probes.length - this.#sent);
    return { sent: this.#sent, ok: this.#ok, failed: this.#failed, unsent, failures: this.#failures };
  }

  #tick(): void {
    const { perSecond, probes } = this.#options;
    const nowMs = performance.now();
    this.#dueAtMs = Math.max(this.#dueAtMs, nowMs - mostBehindMs);
    for (; this.#dueAtMs <= nowMs; this.#dueAtMs += 1_000 / perSecond) {
      const probe = probes[this.#sent % Math.max(1, probes.length)];
      // A gateway that does not answer must not fill this process with waiting requests.
      if (probe === undefined || this.#inFlight.size >= mostInFlight) continue;
      this.#send(probe);
    }
  }

  #send(probe: PlannedProbe): void {
    this.#sent += 1;
    if (this.#sent >= this.#options.probes.length) this.#allSent.resolve();
    const following = this.#follow(probe).finally(() => this.#inFlight.delete(following));
    this.#inFlight.add(following);
  }

  async #follow(probe: PlannedProbe): Promise<void> {
    const failure = await this.#ask(probe);
    if (failure === undefined) {
      this.#ok += 1;
      return;
    }
    this.#failed += 1;
    const line = `${probe.method} ${probe.host}${probe.path}: ${failure}`;
    if (this.#failures.length < mostFailures && !this.#failures.includes(line)) this.#failures.push(line);
  }

  /** Why it failed; undefined where it was answered below 500. Never rejects. */
  #ask(probe: PlannedProbe): Promise<string | undefined> {
    const place = this.#options.locate(probe.listener);
    if (place === undefined) return Promise.resolve("the gateway listens nowhere");
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const sent = this.#open(probe, place);
    const limit = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on("response", (response: IncomingMessage) => {
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        resolve(status < 500 ? undefined : `answered ${status}`);
      });
      response.on("error", (error) => resolve(error.message));
      response.resume();
    });
    sent.on("error", (error) => resolve(error.message));
    // An answer that breaks off ends without another event.
    sent.on("close", () => {
      clearTimeout(limit);
      resolve("the answer broke off");
    });
    sent.end();
    return promise;
  }

  #open(probe: PlannedProbe, place: { readonly address: string; readonly port: number }): ClientRequest {
    const { host, method, path, usesTls } = probe;
    const headers = { ...probe.headers, host, "user-agent": probeAgent };
    const where = { host: place.address, port: place.port, method, path, headers };
    if (!usesTls) return requestHttp({ ...where, agent: this.#http });
    return requestHttps({ ...where, agent: this.#https, servername: host.replace(/:\d+$/u, "") });
  }
}
