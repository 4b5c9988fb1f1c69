import type { TestProject } from "vitest/node";
import { findBuilt, findEtcd, findGo, type GoProgramName, goProgramNames } from "./cluster/go-program.ts";

/** etcd's binary, and the folders of the others. */
type Present = Readonly<Record<GoProgramName | "etcd", string>> & { readonly kind: "present" };

export type ClusterPrograms = Present | { readonly kind: "missing"; readonly what: readonly string[] };

declare module "vitest" {
  interface ProvidedContext {
    /** What tests with a real API server and a real istiod run on: `inject("clusterPrograms")`. */
    clusterPrograms: ClusterPrograms;
  }
}

/**
 * Finds etcd, istiod, the API server and what goes with it. Nothing is built here: it takes minutes and half a gigabyte
 * of modules, which nobody expects of `npm test`. Where something is missing, the tests are skipped, and what to do is
 * said; with KIRIKAE_CLUSTER=required one of them fails.
 */
export default async function setup(project: TestProject): Promise<void> {
  const found = await findPrograms(process.env);
  project.provide("clusterPrograms", found);
  if (found.kind === "present") return;
  const line = "*".repeat(100);
  const title = "SKIPPED: kirikae is tested on no real API server and not compared with a real istiod (test/cluster).";
  const what = found.what.map((each) => `  - ${each}`);
  process.stderr.write(["", line, title, "What is missing:", ...what, line, ""].join("\n"));
}

async function findPrograms(env: NodeJS.ProcessEnv): Promise<ClusterPrograms> {
  const etcd = await findEtcd(env);
  const built = await Promise.all(goProgramNames.map(async (name) => [name, await findBuilt(name, env)] as const));
  const unbuilt = built.flatMap(([name, folder]) => (folder === undefined ? [name] : []));
  if (etcd !== undefined && unbuilt.length === 0) {
    return { kind: "present", etcd, ...(Object.fromEntries(built) as Record<GoProgramName, string>) };
  }
  const needsGo = unbuilt.length > 0 && (await findGo(env)) === undefined;
  return {
    kind: "missing",
    what: [
      ...(etcd === undefined ? ["etcd: on Debian and Ubuntu `apt-get install etcd-server`"] : []),
      ...(needsGo ? ["Go 1.26 or newer: https://go.dev/dl/"] : []),
      ...(unbuilt.length > 0 ? [`${unbuilt.join(", ")}: \`npm run cluster:build\`, once, 5 to 10 minutes`] : []),
    ],
  };
}
