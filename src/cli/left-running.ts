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

export function describeLeftEnvoys(pids: readonly number[]): string {
  return `Envoy (pid ${pids.join(", ")}) serves on as it was last told`;
}
