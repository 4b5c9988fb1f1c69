import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import type { KubeApi } from "./kube-api.ts";
import { readBody } from "./kube-connection.ts";
import { kubeKinds } from "./kube-kinds.ts";
import { pathOfKind } from "./kube-paths.ts";
import { PodAgent } from "./pod-agent.ts";
import type { PodPlace, PodReach, ReachOptions } from "./pod-reach.ts";

export interface PodReachOptions {
  readonly api: KubeApi;
  /**
   * Addresses that somebody has named: `pod.namespace` or `pod.namespace:port` to `http://host:port` or `unix:/path`.
   * Such a pod is asked there and nowhere else.
   */
  readonly direct?: ReadonlyMap<string, string>;
}

type Way = "direct" | "port-forward" | "proxy";

interface WayTried {
  readonly way: Way;
  readonly why: string;
}

const defaultTimeoutMs = 10_000;

/**
 * The debug pages of pods. A pod is asked first in the way that has led there before; each way has the whole of the time
 * that is given.
 */
export function createPodReach({ api, direct = new Map<string, string>() }: PodReachOptions): PodReach {
  const known = new Map<string, Way>();
  const agents = new PodAgents(api);
  const closing = new AbortController();
  return {
    async get(place, path, reach = {}) {
      const { timeoutMs = defaultTimeoutMs } = reach;
      const signal = AbortSignal.any([closing.signal, ...(reach.signal === undefined ? [] : [reach.signal])]);
      signal.throwIfAborted();
      const address = direct.get(keyOf(place)) ?? direct.get(`${place.pod.name}.${place.pod.namespace}`);
      const asking = { api, agents, place, path, address, signal, timeoutMs };
      const ways: readonly Way[] = address === undefined ? indirectWays(known.get(keyOf(place))) : ["direct"];
      const tried: WayTried[] = [];
      for (const way of ways) {
        try {
          const answer = await askBy(way, asking);
          known.set(keyOf(place), way);
          return answer;
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof KirikaeError) && !(error instanceof NotAnswered)) throw error;
          tried.push({ way, why: errorText(error) });
        }
      }
      known.delete(keyOf(place));
      throw notReachable(place, tried);
    },
    [Symbol.asyncDispose]() {
      closing.abort();
      agents.close();
      return Promise.resolve();
    },
  };
}

/** One for each port of a pod that is asked; those that hold nothing any more are forgotten. */
class PodAgents {
  readonly #api: KubeApi;
  readonly #agents = new Map<string, PodAgent>();

  constructor(api: KubeApi) {
    this.#api = api;
  }

  of(place: PodPlace): PodAgent {
    const known = this.#agents.get(keyOf(place));
    if (known !== undefined) return known;
    for (const [key, agent] of this.#agents) if (agent.isIdle) this.#agents.delete(key);
    const agent = new PodAgent(this.#api, place);
    this.#agents.set(keyOf(place), agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}

/** Both, the one that has worked before first. */
function indirectWays(known: Way | undefined): readonly Way[] {
  return known === "proxy" ? ["proxy", "port-forward"] : ["port-forward", "proxy"];
}

function keyOf({ pod, port }: PodPlace): string {
  return `${pod.name}.${pod.namespace}:${port}`;
}

interface Asking {
  readonly api: KubeApi;
  readonly agents: PodAgents;
  readonly place: PodPlace;
  readonly path: string;
  readonly address: string | undefined;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

function askBy(way: Way, asking: Asking): Promise<string> {
  switch (way) {
    case "direct":
      return askDirectly(asking);
    case "port-forward":
      return askThroughForward(asking);
    case "proxy":
      return askThroughProxy(asking);
  }
}

function askDirectly({ address = "", path, signal, timeoutMs }: Asking): Promise<string> {
  const place = address.startsWith("unix:") ? { socketPath: address.slice("unix:".length) } : hostOf(address);
  return getOnce({ ...place, path, agent: false }, { signal, timeoutMs });
}

function hostOf(address: string): RequestOptions {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:") throw new NotAnswered("its address is neither http://host:port nor unix:/path");
  const auth = url.username === "" ? {} : { auth: `${decodePart(url.username)}:${decodePart(url.password)}` };
  return { host: url.hostname.replaceAll(/^\[|\]$/gu, ""), port: url.port === "" ? 80 : Number(url.port), ...auth };
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new NotAnswered("the name or the password in its address has a % that begins no character", { cause: error });
  }
}

async function askThroughForward({ agents, place, path, signal, timeoutMs }: Asking): Promise<string> {
  const options = { path, agent: agents.of(place) };
  try {
    return await getOnce(options, { signal, timeoutMs });
  } catch (error) {
    // The pod, or something on the way, may have ended the connection since the last question.
    if (!(error instanceof StaleForward)) throw error;
    return getOnce(options, { signal, timeoutMs });
  }
}

function askThroughProxy({ api, place: { pod, port }, path, signal, timeoutMs }: Asking): Promise<string> {
  const name = `${encodeURIComponent(pod.name)}:${port}`;
  const root = `${pathOfKind(kubeKinds.pod, pod.namespace)}/${name}/proxy`;
  return api.getText(`${root}${path}`, { signal, timeoutMs });
}

/** @throws NotAnswered, also for any status but 200; StaleForward where it was asked on a connection that had been used before */
async function getOnce(options: RequestOptions, { signal, timeoutMs }: Required<ReachOptions>): Promise<string> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const all = { ...options, headers: { host: "localhost" }, signal: AbortSignal.any([signal, limit]) };
    const response = await respond(requestHttp(all));
    const body = await readBody(response).catch(giveUp);
    if (response.statusCode !== 200) throw new NotAnswered(`answered ${response.statusCode}`);
    return body;
  } catch (error) {
    if (limit.aborted) throw new NotAnswered(`no answer within ${timeoutMs / 1_000} s`, { cause: error });
    throw error;
  }
}

/** One of the ways did not lead to an answer; anything else that is thrown is a mistake of ours. */
class NotAnswered extends Error {}

class StaleForward extends NotAnswered {}

/** What ends an answer before it is whole. */
function giveUp(error: unknown): never {
  throw new NotAnswered(errorText(error), { cause: error });
}

function respond(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", (error) => {
      const Kind = request.reusedSocket ? StaleForward : NotAnswered;
      reject(new Kind(errorText(error), { cause: error }));
    });
    request.end();
  });
}

function notReachable({ pod, port }: PodPlace, tried: readonly WayTried[]): KirikaeError {
  const ways = tried.map(({ way, why }) => `${waysInWords[way]}: ${why}`).join("; ");
  return new KirikaeError("KIR4010", `port ${port} of pod ${pod.namespace}/${pod.name} cannot be reached (${ways})`, {
    exitStatus: 3,
    hint: "this needs the right to create pods/portforward or to get pods/proxy, or an address given by hand",
    details: { pod, port, tried },
  });
}

const waysInWords: Readonly<Record<Way, string>> = {
  direct: "at its address",
  "port-forward": "by port-forward",
  proxy: "through the API server's proxy",
};
