import type { Cluster } from "./cluster.ts";
import { KubeRefusal } from "./kube-client.ts";

/** Where the tests of the kind Release keep theirs. */
export const namespace = "release-kind";
const metadata = { name: "a", namespace };
const path = `/apis/kirikae.dev/v1alpha1/namespaces/${namespace}/releases?dryRun=All&fieldValidation=Strict`;

/** What the API server says to the spec; undefined where it takes it. */
export async function refusalOf({ client }: Cluster, spec: unknown): Promise<string | undefined> {
  try {
    await client.post(path, { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec });
    return undefined;
  } catch (error) {
    if (error instanceof KubeRefusal && error.status < 500) return error.message;
    throw error;
  }
}

/** The object with such a spec. */
export function release(spec: unknown) {
  return { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec };
}
