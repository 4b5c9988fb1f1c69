import { type ClientRequest, request } from "node:http";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { PodReach, ReachOptions } from "../../kubernetes/pod-reach.ts";
import { isPodReady, isPodRunning } from "./pod-state.ts";
import type { IstiodPlace } from "./site-view.ts";

export interface IstiodSearch {
  readonly api: KubeApi;
  readonly reach: PodReach;
  /** Where istiod runs; `istio-system` where it is not given. */
  readonly namespace?: string | undefined;
  /** Addresses that somebody has named, such as `http://127.0.0.1:15014`; they stand for all replicas. */
  readonly urls?: readonly string[] | undefined;
}

/** istiod's port of debug pages and metrics (Istio, "Application requirements: ports used by Istio"). */
const debugPort = 15_014;
const defaultTimeoutMs = 5_000;

/** Every replica of istiod that runs: one that is not Ready, or about to end, may still have proxies. */
export async function locateIstiods({
  api,
  reach,
  namespace,
  urls = [],
}: IstiodSearch): Promise<readonly IstiodPlace[]> {
  if (urls.length > 0) return urls.map(placeAt);
  const { items } = await api.list(kubeKinds.pod, {
    namespace: namespace ?? "istio-system",
    labelSelector: "app=istiod",
  });
  return items
    .filter((pod) => isPodRunning(pod))
    .map((found) => {
      const { metadata } = found;
      const pod = { namespace: metadata.namespace ?? "", name: metadata.name };
      return {
        name: `${pod.name}.${pod.namespace}`,
        takesProxies: isPodReady(found),
        get: (path, options) => reach.get({ pod, port: debugPort }, path, options),
      };
    });
}

function placeAt(text: string): IstiodPlace {
  const url = parseUrl(text);
  // An address may have a name and a password in it, and this is told everywhere.
  return { name: url.host, get: (path, options) => getText(url, path, options) };
}

/** @throws KirikaeError KIR4040 */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" && url.host !== "") return url;
  throw new KirikaeError("KIR4040", "An address of istiod is no http://host:port.", {
    exitStatus: 2,
    hint: "Write it as in --istiod http://127.0.0.1:15014; its debug port speaks plain HTTP.",
  });
}

/** Of a whole answer: a dump of thousands of routes has some megabytes. */
const mostBytes = 64 * 1024 * 1024;

async function getText(
  { hostname, port, host, username, password }: URL,
  path: string,
  { timeoutMs = defaultTimeoutMs, signal }: ReachOptions = {},
): Promise<string> {
  const limit = AbortSignal.timeout(timeoutMs);
  const place = { hostname: hostname.replaceAll(/^\[|\]$/gu, ""), port: port === "" ? 80 : Number(port), path };
  try {
    const auth = username === "" ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` };
    const both = AbortSignal.any(signal === undefined ? [limit] : [limit, signal]);
    return await readAnswer(request({ ...place, ...auth, agent: false, signal: both }));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = limit.aborted ? `no answer within ${timeoutMs} ms` : errorText(error);
    throw new KirikaeError("KIR4040", `istiod at ${host} did not answer ${path.split("?")[0]}: ${why}.`, {
      exitStatus: 3,
      hint: "Is the address right, and does the port-forward still run?",
    });
  }
}

function readAnswer(sent: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      if (response.statusCode !== 200) {
        sent.destroy();
        return reject(new Error(`status ${response.statusCode ?? 0}`));
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) response.destroy(new Error(`its answer is longer than ${mostBytes} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => resolve(Buffer.concat(chunks, bytes).toString("utf8")));
    });
    sent.end();
  });
}
