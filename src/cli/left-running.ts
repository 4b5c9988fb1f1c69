import { KirikaeError } from "../core/diagnostics/error.ts";
import { readRunning } from "../local/process-registry.ts";
import { locateStateFolder } from "../local/state-folder.ts";

/** Envoys that serve on although no `up` looks after them: an earlier one was killed. Their pids. */
export function findLeftEnvoys(env: NodeJS.ProcessEnv): readonly number[] {
  return readRunning(locateStateFolder(env).processes, "envoy").map(({ process: { pid } }) => pid);
}

/** "Nothing is running" is only half the truth while Envoy still serves. */
export function tellOfLeftEnvoys(error: KirikaeError, env: NodeJS.ProcessEnv): KirikaeError {
  const pids = findLeftEnvoys(env);
  if (pids.length === 0) return error;
  return new KirikaeError("KIR5050", `${error.message} ${describeLeftEnvoys(pids)}.`, {
    exitStatus: error.exitStatus,
    hint: "`kirikae up DIR` with the same folder takes over again, without a dropped request.",
    details: { ...error.details, envoyPids: pids },
    cause: error.cause,
  });
}

/** Releases of clusters wait in the journal for the `up` of these clusters, whoever began them. */
export function tellOfClusters(error: KirikaeError, contexts: readonly string[]): KirikaeError {
  const flags = contexts.map((context) => ` --context ${context}`).join("");
  return new KirikaeError("KIR5050", `No \`kirikae up${flags}\` is running with this state folder.`, {
    exitStatus: error.exitStatus,
    hint: "Start it in another terminal; it goes on with the releases that were begun here. KIRIKAE_STATE has to be the same in both.",
    cause: error.cause,
  });
}

export function describeLeftEnvoys(pids: readonly number[]): string {
  return `Envoy (pid ${pids.join(", ")}) serves on as it was last told`;
}
