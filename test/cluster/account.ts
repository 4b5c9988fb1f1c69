import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectKube } from "../../src/kubernetes/connect-kube.ts";
import type { KubeApi } from "../../src/kubernetes/kube-api.ts";
import type { Cluster } from "./cluster.ts";

/** A client with a token of a service account, as a pod would have it. */
export async function connectAsAccount(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<KubeApi> {
  const answer = await cluster.client.post(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3_600 },
  });
  const { token } = (answer as { readonly status: { readonly token: string } }).status;
  const config = JSON.parse(await readFile(cluster.api.kubeconfig, "utf8")) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  const kubeconfig = join(cluster.folder, `${namespace}-${name}.json`);
  const context = { name: "account", context: { cluster: config.clusters[0]?.name, user: "account" } };
  const users = [{ name: "account", user: { token } }];
  const own = { ...config, "current-context": "account", contexts: [context], users };
  await writeFile(kubeconfig, JSON.stringify(own), { mode: 0o600 });
  return connectKube({ kubeconfig, env: {} });
}
