import type { KubeObject } from "./kube-client.ts";
import type { Site } from "./site.ts";
import { writtenWeights } from "./written-weights.ts";

/** The shares that the API server has for the public rule. */
export async function readWeights({ cluster, namespace }: Site): Promise<Readonly<Record<string, number>>> {
  const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices/app`;
  return writtenWeights(JSON.parse(await cluster.client.get(path)) as KubeObject, "public");
}

/** The names that the API server has in the app's DestinationRule. */
export async function readSubsets({ cluster, namespace }: Site): Promise<readonly string[]> {
  const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/destinationrules/app`;
  const { spec } = JSON.parse(await cluster.client.get(path)) as { spec: { subsets: readonly { name: string }[] } };
  return spec.subsets.map(({ name }) => name);
}
