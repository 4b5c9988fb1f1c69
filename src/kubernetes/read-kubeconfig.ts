import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import { type Kubeconfig, mergeKubeconfigs, notUsable, parseKubeconfig } from "./kubeconfig.ts";

export interface KubeconfigOptions {
  /** The one file to read, instead of those that the environment names. */
  readonly kubeconfig?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** A context of the kubeconfig, without anything secret. */
interface KubeContext {
  readonly name: string;
  readonly server: string | undefined;
  readonly namespace: string;
  readonly isCurrent: boolean;
}

/**
 * The contexts that can be chosen, in the order of the files.
 * @throws KirikaeError KIR4001 where a file cannot be read or there is none
 */
export async function readKubeContexts(options: KubeconfigOptions): Promise<readonly KubeContext[]> {
  const { contexts, clusters, currentContext } = await readKubeconfig(options);
  return [...contexts].map(([name, context]) => ({
    name,
    server: clusters.get(context.cluster)?.server,
    namespace: context.namespace ?? "default",
    isCurrent: name === currentContext,
  }));
}

/**
 * Reads what kubectl would read: the file that is named, else those of KUBECONFIG, else `~/.kube/config`.
 * @throws KirikaeError KIR4001
 */
export async function readKubeconfig(options: KubeconfigOptions): Promise<Kubeconfig> {
  const { paths, mayMiss } = findPaths(options);
  const files: Kubeconfig[] = [];
  for (const path of paths) {
    const text = await readIfThere(path);
    if (text !== undefined) files.push(parseKubeconfig(text, path));
    else if (!mayMiss) throw notUsable(path, "there is no such file");
  }
  if (files.length > 0) return mergeKubeconfigs(files);
  const where = paths.length === 0 ? "HOME is not set" : `looked for ${paths.join(", ")}`;
  throw new KirikaeError("KIR4001", `there is no kubeconfig: ${where}`, {
    exitStatus: 3,
    hint: "name one with --kubeconfig or KUBECONFIG",
  });
}

function findPaths({ kubeconfig, env }: KubeconfigOptions): {
  readonly paths: readonly string[];
  readonly mayMiss: boolean;
} {
  if (kubeconfig !== undefined) return { paths: [kubeconfig], mayMiss: false };
  const listed = (env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) return { paths: listed, mayMiss: true };
  // As kubectl has it. Who has no home, such as any user of an image, has no kubeconfig there.
  const home = env["HOME"] ?? env["USERPROFILE"];
  return { paths: home === undefined ? [] : [join(home, ".kube", "config")], mayMiss: true };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw notUsable(path, errorText(error));
  }
}
