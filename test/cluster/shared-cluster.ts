import { join } from "node:path";
import { describe, inject, test as base } from "vitest";
import { Cluster } from "./cluster.ts";
import { Kubectl } from "./kubectl.ts";

const programs = inject("clusterPrograms");

/** Skipped where a program is missing, which `cluster-programs.setup.ts` has said. */
export const describeCluster = programs.kind === "missing" ? describe.skip : describe;

/**
 * `test` with the one cluster that all files of this project share, started by the first test that asks for it. Each
 * file has namespaces of its own, and deletes what belongs to no namespace.
 */
export const test = base
  .extend("programs", { scope: "worker" }, programs)
  .extend("cluster", { scope: "worker" }, async ({ programs: found }, { onCleanup }) => {
    if (found.kind === "missing") throw new Error("a program is missing");
    const cluster = await Cluster.start({ ...found, envoy: inject("envoyBinary").path });
    onCleanup(() => cluster[Symbol.asyncDispose]());
    return cluster;
  })
  .extend("kubectl", { scope: "worker" }, ({ cluster, programs: found }) => {
    if (found.kind === "missing") throw new Error("a program is missing");
    return new Kubectl({ path: join(found.kubectl, "kubectl"), kubeconfig: cluster.api.kubeconfig });
  });
