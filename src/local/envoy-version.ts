import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { runCommand } from "./run-command.ts";
import { systemErrorCode } from "./system-error.ts";

const timeoutMs = 20_000;

export type VersionAnswer =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "unusable"; readonly reason: string };

/** `envoy --version` prints `... version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. */
export async function readEnvoyVersion(path: string): Promise<VersionAnswer> {
  try {
    if (!(await stat(path)).isFile()) return unusable("it is not a file");
    await access(path, constants.X_OK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return unusable("there is no such file");
    if (code === "EACCES") return unusable("it may not be run");
    throw error;
  }
  const answer = await runCommand(path, ["--version"], { timeoutMs, env: process.env });
  const version = /version: [0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(answer.output)?.[1];
  if (version === undefined) return unusable("it is not an Envoy");
  return { kind: "version", version };
}

function unusable(reason: string): VersionAnswer {
  return { kind: "unusable", reason };
}
