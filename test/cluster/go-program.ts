import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { locateCacheFolder } from "../../src/local/envoy-binary.ts";

/** A Go module of this folder: `test/cluster/<name>`. */
export type GoProgramName = (typeof goProgramNames)[number];

export const goProgramNames = ["istiod", "apiserver", "kubelet", "kubectl"] as const;

const run = promisify(execFile);
/** Cold, on two busy cores; with Go's own cache it is a matter of seconds. */
const buildTimeoutMs = 20 * 60_000;

/** Without a version, the API server believes that it is 0.0 and serves nothing that is newer. */
const kubernetesVersion = ["gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36"]
  .map((assignment) => `-X k8s.io/component-base/version.${assignment}`)
  .join(" ");

const linkerFlags: Readonly<Record<GoProgramName, string>> = {
  istiod: "-s -w",
  apiserver: `-s -w ${kubernetesVersion}`,
  kubelet: "-s -w",
  kubectl: `-s -w ${kubernetesVersion}`,
};

const buildTimes: Readonly<Record<GoProgramName, string>> = {
  istiod: "5 to 10 minutes the first time, seconds from then on",
  apiserver: "5 to 10 minutes the first time, seconds from then on",
  kubelet: "seconds",
  kubectl: "a minute or two",
};

/** Istio's own definitions of its kinds, from the module that istiod is built from. */
const istioKindsPath = "manifests/charts/base/files/crd-all.gen.yaml";

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (message: string) => void;
}

/** Undefined where Go is neither on PATH nor where its own installer puts it. */
export async function findGo(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = [...(env["PATH"] ?? "").split(delimiter), "/usr/local/go/bin"];
  return findProgram("go", folders);
}

/** Undefined where etcd is neither on PATH nor in the folders that a user's PATH may leave out. */
export async function findEtcd(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return findProgram("etcd", [...(env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"]);
}

async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders.filter(isAbsolute)) {
    const path = join(folder, name);
    if (await canAccess(path, constants.X_OK)) return path;
  }
  return undefined;
}

/** The folder that `buildGoProgram` would return, where it has built the program before. */
export async function findBuilt(name: GoProgramName, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folder = await locateBuild(name, env);
  return (await canAccess(join(folder, name))) ? folder : undefined;
}

/**
 * The folder with the built program and, for istiod, `istio-kinds.yaml`, in the user's cache under a hash of the
 * module's files: built only when it is not there. Two builds at the same time do the work twice and harm nobody.
 * @throws when Go is missing or cannot build it.
 */
export async function buildGoProgram(name: GoProgramName, options: BuildOptions): Promise<string> {
  const built = await findBuilt(name, options.env);
  if (built !== undefined) return built;
  const source = sourceOf(name);
  const folder = await locateBuild(name, options.env);
  const parent = dirname(folder);
  const go = await findGo(options.env);
  if (go === undefined) throw new Error(`Go is needed to build ${name}; install it from https://go.dev/dl/`);
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, ".build-"));
  try {
    const startMs = performance.now();
    options.onProgress(`building ${name} with Go: ${buildTimes[name]}`);
    const settings = { cwd: source, env: options.env, timeout: buildTimeoutMs, maxBuffer: 64 * 1024 * 1024 };
    const args = ["build", "-buildvcs=false", "-trimpath", "-ldflags", linkerFlags[name], "-o", join(draft, name), "."];
    await run(go, args, settings);
    if (name === "istiod") {
      const { stdout } = await run(go, ["list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], settings);
      await copyFile(join(stdout.trim(), istioKindsPath), join(draft, "istio-kinds.yaml"));
    }
    await install(draft, folder);
    options.onProgress(`${name} was built in ${Math.round((performance.now() - startMs) / 1000)} s`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

function sourceOf(name: GoProgramName): string {
  return fileURLToPath(new URL(`./${name}/`, import.meta.url));
}

async function locateBuild(name: GoProgramName, env: NodeJS.ProcessEnv): Promise<string> {
  return join(locateCacheFolder(env), "cluster", `${name}-${await hashModule(sourceOf(name))}`);
}

function canAccess(path: string, mode?: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function install(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    // Another run was faster; what it built is the same.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

async function hashModule(source: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum", "main.go"]) hash.update(await readFile(join(source, file)));
  return hash.digest("hex").slice(0, 12);
}
