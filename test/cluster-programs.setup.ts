import type { TestProject } from "vitest/node";
import { buildGoProgram, findEtcd, findGo } from "./cluster/go-program.ts";

export type ClusterPrograms =
  | { readonly kind: "present"; readonly istiod: string; readonly apiserver: string; readonly etcd: string }
  | { readonly kind: "missing"; readonly what: readonly string[] };

declare module "vitest" {
  interface ProvidedContext {
    /** What comparisons with a real istiod run on: `inject("clusterPrograms")`. */
    clusterPrograms: ClusterPrograms;
  }
}

function onProgress(message: string): void {
  process.stderr.write(`${message}\n`);
}

/**
 * Finds etcd and builds istiod and the API server where that was not done before. A machine that lacks Go or etcd is
 * told what is missing, and the tests are skipped; in CI that fails, because there they are the judge.
 */
export default async function setup(project: TestProject): Promise<void> {
  const { env } = process;
  const [go, etcd] = [await findGo(env), await findEtcd(env)];
  const what = [
    ...(go === undefined ? ["Go 1.26 or newer (https://go.dev/dl/)"] : []),
    ...(etcd === undefined ? ["etcd (Debian and Ubuntu: apt-get install etcd-server)"] : []),
  ];
  if (etcd === undefined || what.length > 0) {
    const lines = [
      "",
      "**********************************************************************",
      "SKIPPED: kirikae is not compared with a real istiod. What is missing:",
      ...what.map((each) => `  - ${each}`),
      "**********************************************************************",
      "",
    ];
    process.stderr.write(lines.join("\n"));
    if (env["CI"] !== undefined && env["CI"] !== "false") throw new Error(`missing in CI: ${what.join(", ")}`);
    project.provide("clusterPrograms", { kind: "missing", what });
    return;
  }
  const istiod = await buildGoProgram("istiod", { env, onProgress });
  const apiserver = await buildGoProgram("apiserver", { env, onProgress });
  project.provide("clusterPrograms", { kind: "present", istiod, apiserver, etcd });
}
