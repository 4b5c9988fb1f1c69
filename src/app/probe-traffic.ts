import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { PlannedProbe } from "../core/release/plan/plan-probes.ts";
import type { ProbeFigures } from "../core/release/plan/probe-figures.ts";
import { probeAgent } from "../xds/probe-agent.ts";

export interface ProbeTrafficOptions {
  readonly probes: readonly PlannedProbe[];
  readonly perSecond: number;
  /** Where a gateway's listener is; in words why it is nowhere. */
  readonly locate: (listener: string) => ProbePlace | string;
}

/** Where requests are sent to. */
export interface ProbePlace {
  readonly address: string;
  readonly port: number;
  /** Finds the addresses of a name; absent asks the system. */
  readonly lookup?: LookupFunction;
  /** What leads there, where no connection from this machine does. They belong to whoever gives them. */
  readonly agents?: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

export interface ProbeTraffic {
  /**
   * Sends each once more, as many as go in 5 s, and says what of their answers cannot be when the weights are live: that
   * the gateway has no route for it, or no version. Undefined where nothing is.
   */
  confirm(): Promise<string | undefined>;
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
/** What Envoy says where a cluster has no endpoint (Envoy, response flag UH). */
const noEndpoints = "no healthy upstream";
const longestOwnBody = noEndpoints.length;

/** Sends requests through the gateways, in turn and at a steady pace, until it is told to end. */
export function startProbeTraffic(options: ProbeTrafficOptions): ProbeTraffic {
  const run = new ProbeRun(options);
  return { confirm: () => run.confirm(), end: () => run.end() };
}

/** From when answers are held against weights that are live. */
interface Confirming {
  readonly from: number;
  readonly allSent: PromiseWithResolvers<void>;
  contradiction: string | undefined;
}

interface Failure {
  readonly why: string;
  /** Whether the gateway itself has answered, because it has no route or no version for the request. */
  readonly isRouteless: boolean;
}

class ProbeRun {
  readonly #options: ProbeTrafficOptions;
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: mostInFlight });
  // What is proved is that requests are answered; the names in certificates of this machine are nobody's proof.
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: mostInFlight, rejectUnauthorized: false });
  readonly #inFlight = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #confirming: Confirming | undefined;
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

  async confirm(): Promise<string | undefined> {
    const confirming: Confirming = {
      from: this.#sent,
      allSent: Promise.withResolvers(),
      contradiction: undefined,
    };
    this.#confirming = confirming;
    await withinLimit(confirming.allSent.promise);
    await Promise.all(this.#inFlight);
    return confirming.contradiction;
  }

  async end(): Promise<ProbeFigures> {
    await withinLimit(this.#allSent.promise);
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
    const count = this.#options.probes.length;
    const confirming = this.#confirming;
    this.#sent += 1;
    if (this.#sent >= count) this.#allSent.resolve();
    if (confirming !== undefined && this.#sent - confirming.from >= count) confirming.allSent.resolve();
    const following = this.#follow(probe, confirming).finally(() => this.#inFlight.delete(following));
    this.#inFlight.add(following);
  }

  async #follow(probe: PlannedProbe, confirming: Confirming | undefined): Promise<void> {
    const failure = await this.#ask(probe);
    if (failure === undefined) {
      this.#ok += 1;
      return;
    }
    this.#failed += 1;
    const line = `${probe.method} ${probe.host}${probe.path}: ${failure.why}`;
    if (confirming !== undefined && failure.isRouteless) confirming.contradiction ??= line;
    if (this.#failures.length < mostFailures && !this.#failures.includes(line)) this.#failures.push(line);
  }

  /** Why it failed; undefined where a version answered it below 500. Never rejects. */
  #ask(probe: PlannedProbe): Promise<Failure | undefined> {
    const place = this.#options.locate(probe.listener);
    if (typeof place === "string") return Promise.resolve(brokenOff(place));
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    const sent = this.#open(probe, place);
    const limit = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on("response", (response: IncomingMessage) => {
      let body = "";
      response.setEncoding("latin1");
      response.on("data", (text: string) => (body = (body + text).slice(0, longestOwnBody + 1)));
      response.on("end", () => resolve(judgeAnswer(response, body)));
      response.on("error", (error) => resolve(brokenOff(error.message)));
    });
    sent.on("error", (error) => resolve(brokenOff(error.message)));
    // An answer that breaks off ends without another event.
    sent.on("close", () => {
      clearTimeout(limit);
      resolve(brokenOff("the answer broke off"));
    });
    sent.end();
    return promise;
  }

  #open(probe: PlannedProbe, place: ProbePlace): ClientRequest {
    const { host, method, path, usesTls } = probe;
    const headers = { ...probe.headers, host, "user-agent": probeAgent };
    const { lookup } = place;
    const where = {
      host: place.address,
      port: place.port,
      method,
      path,
      headers,
      ...(lookup !== undefined && { lookup }),
    };
    const { http, https } = place.agents ?? { http: this.#http, https: this.#https };
    if (!usesTls) return requestHttp({ ...where, agent: http });
    return requestHttps({ ...where, agent: https, servername: host.replace(/:\d+$/u, "") });
  }
}

function judgeAnswer({ statusCode = 0, headers }: IncomingMessage, body: string): Failure | undefined {
  const why = `answered ${statusCode}`;
  // Envoy says how long a version took, and nothing where none was asked (Envoy doc: `x-envoy-upstream-service-time`).
  const isOwn = headers["x-envoy-upstream-service-time"] === undefined && /envoy/u.test(String(headers.server));
  const hasNoRoute = statusCode === 404 && body === "";
  const hasNoVersion = statusCode === 503 && (body === "" || body === noEndpoints);
  if (isOwn && (hasNoRoute || hasNoVersion)) return { why: `${why} by the gateway itself`, isRouteless: true };
  return statusCode < 500 ? undefined : brokenOff(why);
}

function brokenOff(why: string): Failure {
  return { why, isRouteless: false };
}

/** Resolves with it, or when a step has been held up for long enough. */
async function withinLimit(work: Promise<void>): Promise<void> {
  const givenUp = Promise.withResolvers<void>();
  const limit = setTimeout(() => givenUp.resolve(), longestEndMs);
  await Promise.race([work, givenUp.promise]);
  clearTimeout(limit);
}
