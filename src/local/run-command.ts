import { execFile } from "node:child_process";
import { errorText } from "../core/diagnostics/error-text.ts";

export interface CommandAnswer {
  readonly status: number;
  /** Standard output and standard error. */
  readonly output: string;
  /** Why it did not run, where it did not. */
  readonly reason: string;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the program. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end. Never rejects: a program that cannot be run answers status 1 with the reason. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<CommandAnswer> {
  return new Promise((resolveAnswer) => {
    execFile(
      file,
      args,
      { timeout: options.timeoutMs, env: options.env, signal: options.signal, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolveAnswer({ status, output: `${stdout}${stderr}`, reason: error === null ? "" : errorText(error) });
      },
    );
  });
}
