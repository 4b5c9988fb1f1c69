import { Command, Option } from "commander";
import type { SiteOptions } from "../app/site/connection/site-options.ts";
import type { Ink } from "./ink.ts";
import { renderJson } from "./neutralise.ts";
import type { Terminal } from "./terminal.ts";

/** What a command found out. `--json` prints the data, else the text is printed. */
export interface Answer {
  /** 0 for yes, 1 when the answer is no, 3 when half of it could not be seen, 4 when the time was over before. */
  readonly exitStatus: 0 | 1 | 3 | 4;
  readonly data: unknown;
  text(ink: Ink): string;
}

/** What a command may use of the process that it runs in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** The clusters that the command line names; absent or empty is this machine. Throws KIR5057. */
  readonly sites?: () => readonly SiteOptions[];
  /** Of this program. */
  readonly version: string;
  readonly input: AsyncIterable<Uint8Array>;
  /** Sets how the process will end. */
  finish(exitStatus: number): void;
  /** Calls back for the first signal that asks to stop; a second one ends the process as the system would. */
  onStop(stop: (signal: NodeJS.Signals) => void): Disposable;
}

export interface JsonOption {
  readonly json?: true;
}

export const jsonOption = ["--json", "print JSON for scripts"] as const;
export const namespaceOption = [
  "-n, --namespace <namespace>",
  "the namespace, where the name alone is not clear",
] as const;

/** Made anew for each command; undefined is `default`, or all namespaces of a cluster. */
export function manifestNamespaceOption(): Option {
  return new Option(
    "-n, --namespace <namespace>",
    "the namespace of manifests that name none; of a cluster, the one that counts",
  ).default(undefined, "default");
}

/** A subcommand whose usage errors are thrown, so that one place prints them and decides the exit status. */
export function createCommand(name: string, summary: string): Command {
  return new Command(name).description(summary).exitOverride().showHelpAfterError(false);
}

/** Prints the answer in the form that was asked for. */
export function printAnswer(context: CommandContext, answer: Answer, options: JsonOption): void {
  const { terminal } = context;
  if (options.json === true) terminal.answer(renderJson(answer.data, 2));
  else {
    const text = answer.text(terminal.ink);
    if (text !== "") terminal.answer(text);
  }
  context.finish(answer.exitStatus);
}

export { Command };
