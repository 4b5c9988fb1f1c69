import { request } from "node:http";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { PodReach, ReachOptions } from "../../kubernetes/pod-reach.ts";
import { isPodReady } from "./pod-state.ts";
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

/** Every replica of istiod that is ready now. One that is not has no new proxies, and those that it had go elsewhere. */
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
    .filter((pod) => isPodReady(pod))
    .map(({ metadata }) => {
      const pod = { namespace: metadata.namespace ?? "", name: metadata.name };
      return {
        name: `${pod.name}.${pod.namespace}`,
        get: (path, options) => reach.get({ pod, port: debugPort }, path, options),
      };
    });
}

function placeAt(url: string): IstiodPlace {
  return { name: url, get: (path, options) => getText(new URL(path, url), options) };
}

function getText(url: URL, { timeoutMs = defaultTimeoutMs, signal }: ReachOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new KirikaeError("KIR4040", `istiod at ${url.origin} did not answer ${url.pathname}: ${why}.`, {
          exitStatus: 3,
          hint: "Is the address right, and does the port-forward still run?",
        }),
      );
    const sent = request(url, { timeout: timeoutMs, ...(signal !== undefined && { signal }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => fail(error.message));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else fail(`status ${response.statusCode ?? 0}`);
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    sent.on("error", (error) => fail(error.message));
    sent.end();
  });
}
