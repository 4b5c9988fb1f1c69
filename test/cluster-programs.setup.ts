import type { TestProject } from "vitest/node";
import { findBuilt, findEtcd, findGo } from "./cluster/go-program.ts";

export type ClusterPrograms =
  | { readonly kind: "present"; readonly istiod: string; readonly apiserver: string; readonly etcd: string }
  | { readonly kind: "missing"; readonly what: readonly string[] };

declare module "vitest" {
  interface ProvidedContext {
    /** What comparisons with a real istiod run on: `inject("clusterPrograms")`. */
    clusterPrograms: ClusterPrograms;
  }
}

/**
 * Finds etcd, istiod and the API server. Nothing is built here: it takes minutes and half a gigabyte of modules, which
 * nobody expects of `npm test`. Where something is missing, the tests are skipped, and what to do is said.
 */
export default async function setup(project: TestProject): Promise<void> {
  const found = await findPrograms(process.env);
  project.provide("clusterPrograms", found);
  if (found.kind === "present") return;
  const line = "*".repeat(100);
  process.stderr.write(
    [
      "",
      line,
      "SKIPPED: kirikae is not compared with a real istiod (test/cluster). What is missing:",
      ...found.what.map((each) => `  - ${each}`),
      line,
      "",
    ].join("\n"),
  );
}

async function findPrograms(env: NodeJS.ProcessEnv): Promise<ClusterPrograms> {
  const etcd = await findEtcd(env);
  const istiod = await findBuilt("istiod", env);
  const apiserver = await findBuilt("apiserver", env);
  if (etcd !== undefined && istiod !== undefined && apiserver !== undefined) {
    return { kind: "present", istiod, apiserver, etcd };
  }
  const isBuilt = istiod !== undefined && apiserver !== undefined;
  const go = isBuilt ? undefined : await findGo(env);
  return {
    kind: "missing",
    what: [
      ...(etcd === undefined ? ["etcd: on Debian and Ubuntu `apt-get install etcd-server`"] : []),
      ...(isBuilt || go !== undefined ? [] : ["Go 1.26 or newer: https://go.dev/dl/"]),
      ...(isBuilt ? [] : ["istiod and kube-apiserver: `npm run cluster:build`, once, 5 to 10 minutes"]),
    ],
  };
}
