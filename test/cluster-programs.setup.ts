import type { TestProject } from "vitest/node";
import { findBuilt, findEtcd, findGo, findKubectl } from "./cluster/go-program.ts";

export type ClusterPrograms =
  | {
      readonly kind: "present";
      readonly istiod: string;
      readonly apiserver: string;
      readonly kubelet: string;
      readonly etcd: string;
      readonly kubectl: string;
    }
  | { readonly kind: "missing"; readonly what: readonly string[] };

declare module "vitest" {
  interface ProvidedContext {
    /** What tests with a real API server and a real istiod run on: `inject("clusterPrograms")`. */
    clusterPrograms: ClusterPrograms;
  }
}

/**
 * Finds etcd, istiod, the API server and kubectl. Nothing is built here: it takes minutes and half a gigabyte of modules,
 * which nobody expects of `npm test`. Where something is missing, the tests are skipped, and what to do is said; with
 * KIRIKAE_CLUSTER=required they may not be, and nothing runs at all.
 */
export default async function setup(project: TestProject): Promise<void> {
  const found = await findPrograms(process.env);
  project.provide("clusterPrograms", found);
  if (found.kind === "present") return;
  const what = found.what.map((each) => `  - ${each}`);
  if (process.env["KIRIKAE_CLUSTER"] === "required") {
    throw new Error(["KIRIKAE_CLUSTER=required, and these are missing:", ...what].join("\n"));
  }
  const line = "*".repeat(100);
  const title = "SKIPPED: kirikae is tested on no real API server and not compared with a real istiod (test/cluster).";
  process.stderr.write(["", line, `${title} What is missing:`, ...what, line, ""].join("\n"));
}

async function findPrograms(env: NodeJS.ProcessEnv): Promise<ClusterPrograms> {
  const etcd = await findEtcd(env);
  const kubectl = await findKubectl(env);
  const istiod = await findBuilt("istiod", env);
  const apiserver = await findBuilt("apiserver", env);
  const kubelet = await findBuilt("kubelet", env);
  const isBuilt = istiod !== undefined && apiserver !== undefined && kubelet !== undefined;
  if (etcd !== undefined && kubectl !== undefined && isBuilt) {
    return { kind: "present", istiod, apiserver, kubelet, etcd, kubectl };
  }
  const go = isBuilt ? undefined : await findGo(env);
  return {
    kind: "missing",
    what: [
      ...(etcd === undefined ? ["etcd: on Debian and Ubuntu `apt-get install etcd-server`"] : []),
      ...(kubectl === undefined ? ["kubectl: on Debian `apt-get install kubernetes-client`, else kubernetes.io"] : []),
      ...(isBuilt || go !== undefined ? [] : ["Go 1.26 or newer: https://go.dev/dl/"]),
      ...(isBuilt ? [] : ["istiod and kube-apiserver: `npm run cluster:build`, once, 5 to 10 minutes"]),
    ],
  };
}
