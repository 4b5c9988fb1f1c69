import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { createCredentials, createFileCredentials, readConfigBytes } from "./create-credentials.ts";
import { HttpsKubeApi } from "./https-kube-api.ts";
import type { KubeApi } from "./kube-api.ts";
import { KubeConnection, type KubeServer } from "./kube-connection.ts";
import type { ConfigCluster, ConfigContext, Kubeconfig } from "./kubeconfig.ts";
import { type KubeconfigOptions, readKubeconfig } from "./read-kubeconfig.ts";

export { readKubeContexts } from "./read-kubeconfig.ts";

export interface ConnectOptions extends KubeconfigOptions {
  /** Undefined takes the kubeconfig's current context. */
  readonly context?: string | undefined;
}

/** Where a kubelet puts what a pod's service account needs. */
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Reads the kubeconfig and makes a client of one of its contexts. Nothing is asked of the API server yet.
 * @throws KirikaeError KIR4001 kubeconfig, KIR4002 context, KIR4003 credentials
 */
export async function connectKube(options: ConnectOptions): Promise<KubeApi> {
  const config = await readKubeconfig(options);
  const { name, context, cluster } = chooseContext(config, options.context);
  const user = context.user === undefined ? undefined : config.users.get(context.user);
  if (context.user !== undefined && user === undefined) throw incomplete(name, `the user ${context.user}`);
  const server = await readServer(name, cluster, options.env);
  const target = { context: name, cluster: describeCluster(server, cluster), env: options.env };
  const credentials = await createCredentials(user, target);
  return new HttpsKubeApi({
    connection: new KubeConnection(server, credentials),
    defaultNamespace: context.namespace ?? "default",
  });
}

/**
 * The API server of the pod that this process runs in, by the pod's service account.
 * @throws KirikaeError KIR4012 where this is no pod, or one without a service account's token
 */
export async function connectInCluster(
  options: { readonly env?: NodeJS.ProcessEnv; readonly folder?: string } = {},
): Promise<KubeApi> {
  const { env = process.env, folder = accountFolder } = options;
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (host === undefined || port === undefined) throw notInCluster("KUBERNETES_SERVICE_HOST is not set");
  const authority = await readAccountFile(folder, "ca.crt");
  const namespace = await readAccountFile(folder, "namespace");
  await readAccountFile(folder, "token");
  const server: KubeServer = {
    context: "in-cluster",
    url: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    authority: [authority],
    insecureSkipTlsVerify: false,
    tlsServerName: undefined,
    proxyEnv: {},
  };
  const connection = new KubeConnection(server, createFileCredentials(join(folder, "token")));
  return new HttpsKubeApi({ connection, defaultNamespace: namespace.toString("utf8").trim() });
}

interface ChosenContext {
  readonly name: string;
  readonly context: ConfigContext;
  readonly cluster: ConfigCluster;
}

function chooseContext(config: Kubeconfig, wanted: string | undefined): ChosenContext {
  const name = wanted ?? config.currentContext;
  const known = [...config.contexts.keys()];
  if (name === undefined) throw noContext("the kubeconfig has no current context", known);
  const context = config.contexts.get(name);
  if (context === undefined) throw noContext(`the kubeconfig has no context ${name}`, known);
  const cluster = config.clusters.get(context.cluster);
  if (cluster === undefined) throw incomplete(name, `the cluster ${context.cluster}, or not its server,`);
  return { name, context, cluster };
}

function noContext(message: string, known: readonly string[]): KirikaeError {
  const list = known.length === 0 ? "it has none" : `known are ${known.join(", ")}`;
  return new KirikaeError("KIR4002", `${message}; ${list}`, {
    exitStatus: 2,
    hint: "name one with --context",
    details: { known },
  });
}

function incomplete(context: string, what: string): KirikaeError {
  return new KirikaeError("KIR4001", `context ${context} names ${what} that the kubeconfig does not have`, {
    exitStatus: 3,
    hint: "`kubectl config view` shows what kubectl reads; the other file may be missing in KUBECONFIG",
  });
}

async function readServer(context: string, cluster: ConfigCluster, env: NodeJS.ProcessEnv): Promise<KubeServer> {
  const { insecureSkipTlsVerify, tlsServerName, proxyUrl } = cluster;
  const authority = cluster.authority === undefined ? machineTrust() : [await readConfigBytes(cluster.authority)];
  return {
    context,
    url: parseServer(context, cluster.server),
    authority: insecureSkipTlsVerify ? undefined : authority,
    insecureSkipTlsVerify,
    tlsServerName,
    proxyEnv: proxyUrl === undefined ? proxiesOf(env) : proxyFor(context, proxyUrl),
  };
}

/** As Go and kubectl do it, the certificates of the machine; Node's own stand in where the machine has none. */
function machineTrust(): readonly string[] {
  return [...getCACertificates("default"), ...getCACertificates("system")];
}

/** kubectl takes `host:port` for HTTP. */
function parseServer(context: string, server: string): URL {
  const text = server.includes("://") ? server : `http://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw unusable(context, `its server is no HTTP address`, "a server looks like https://host:6443");
}

/** Node's client speaks to HTTP proxies, and to no others. */
function proxyFor(context: string, proxyUrl: string): KubeServer["proxyEnv"] {
  const protocol = URL.canParse(proxyUrl) ? new URL(proxyUrl).protocol : "";
  if (protocol === "http:" || protocol === "https:") return { HTTPS_PROXY: proxyUrl, HTTP_PROXY: proxyUrl };
  const reason = `its proxy-url ${protocol === "" ? "is no address" : `speaks ${protocol.replace(":", "")}`}`;
  throw unusable(context, reason, "kirikae reaches API servers through http and https proxies only");
}

function proxiesOf(env: NodeJS.ProcessEnv): KubeServer["proxyEnv"] {
  const names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

function unusable(context: string, reason: string, hint: string): KirikaeError {
  return new KirikaeError("KIR4001", `the cluster of context ${context} cannot be used: ${reason}`, {
    exitStatus: 3,
    hint,
  });
}

/** As plugins get it (client.authentication.k8s.io, `Cluster`). */
function describeCluster(server: KubeServer, cluster: ConfigCluster): Readonly<Record<string, unknown>> {
  const data =
    cluster.authority === undefined ? undefined : Buffer.from(server.authority?.[0] ?? "").toString("base64");
  return {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.insecureSkipTlsVerify || undefined,
    "certificate-authority-data": data,
    "proxy-url": cluster.proxyUrl,
    config: cluster.execConfig,
  };
}

async function readAccountFile(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    throw notInCluster(errorText(error));
  }
}

function notInCluster(reason: string): KirikaeError {
  return new KirikaeError("KIR4012", `this is no pod with a service account: ${reason}`, {
    exitStatus: 3,
    hint: "`kirikae controller` runs in a cluster; from outside of it, use --context",
  });
}
