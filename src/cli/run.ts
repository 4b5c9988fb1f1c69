import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import type { KirikaeError } from "../core/diagnostics/error.ts";
import type { CommandContext } from "./command.ts";
import { asKirikaeError, errorToJson, renderError } from "./print/error.ts";
import { asSentence } from "./print/words.ts";
import { buildProgram } from "./program.ts";
import { readSiteOptions } from "./site-options.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { usageError } from "./usage-error.ts";
import { renderJson } from "./neutralise.ts";

/** Runs one command line; the exit status is left in `process.exitCode`, so that everything printed arrives. */
export async function run(process: NodeJS.Process): Promise<void> {
  const terminal = openTerminal(process);
  const context: CommandContext = {
    terminal,
    env: process.env,
    input: process.stdin,
    version: readVersion(),
    sites: () => readSiteOptions(program, process.env),
    finish: (exitStatus) => {
      process.exitCode = exitStatus;
    },
    onStop: (stop) => listenForStop(process, stop),
  };
  const program = buildProgram(context);
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const known = toError(error);
    reportError(terminal, known.code === "KIR5050" ? await completeSilence(known, context) : known, process);
  }
}

/** A command line that was not understood has no options yet. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      word === "--json" ||
      /^(?:--output=|-o=?)json$/u.test(word) ||
      (word === "json" && /^(?:--output|-o)$/u.test(argv[index - 1] ?? "")),
  );
}

async function completeSilence(error: KirikaeError, { sites, env }: CommandContext): Promise<KirikaeError> {
  const { tellOfClusters, tellOfLeftEnvoys } = await import("./left-running.ts");
  const contexts = (sites?.() ?? []).map(({ context }) => context);
  return contexts.length > 0 ? tellOfClusters(error, contexts) : tellOfLeftEnvoys(error, env);
}

function reportError(terminal: Terminal, error: KirikaeError, process: NodeJS.Process): void {
  terminal.note(renderError(error, terminal.noteInk));
  if (wantsJson(process.argv)) terminal.answer(renderJson(errorToJson(error)));
  const { cause } = error;
  if (process.env["KIRIKAE_DEBUG"] === "1" && cause instanceof Error) terminal.note(cause.stack ?? cause.message);
  process.exitCode = error.exitStatus;
}

/** Commander's own complaints are wrong use; it has printed nothing of them. */
function toError(error: unknown): KirikaeError {
  if (!(error instanceof CommanderError)) return asKirikaeError(error);
  if (error.code === "commander.help") return usageError("No command was given.");
  const text = error.message.replace(/^error: /u, "").trim();
  const [message = text, ...suggestion] = text.split("\n");
  return usageError(
    asSentence(`${message[0]?.toUpperCase() ?? ""}${message.slice(1)}`),
    suggestion.join(" ") || undefined,
  );
}

/** Whoever wants a program gone may tell it and its whole group (as GNU timeout does): both are one request. */
const oneRequestMs = 1_000;

/** The first signal asks; one that comes later ends the process at once, the way the system would have. */
function listenForStop(process: NodeJS.Process, stop: (signal: NodeJS.Signals) => void): Disposable {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let askedMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (askedMs === undefined) {
      askedMs = performance.now();
      stop(signal);
    } else if (performance.now() - askedMs >= oneRequestMs) {
      stopListening();
      process.kill(process.pid, signal);
    }
  };
  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, listener);
  };
  for (const signal of signals) process.on(signal, listener);
  return { [Symbol.dispose]: stopListening };
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version }: { readonly version: string } = JSON.parse(text);
  return version;
}
