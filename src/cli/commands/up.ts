import { constants } from "node:os";
import { InvalidArgumentError } from "commander";
import type { UpEvent } from "../../app-types.ts";
import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

interface UpCommandOptions extends JsonOption {
  readonly demo?: true;
  readonly envoy?: string;
  readonly gatewayPort: readonly string[];
  readonly port?: number;
  readonly namespace: string;
  readonly concurrency?: number;
  readonly allowCommands?: true;
}

export function upCommand(context: CommandContext): Command {
  return createCommand("up", "run a folder of manifests on a real Envoy until Ctrl-C; saving a manifest applies it")
    .argument("<dir>", "the folder of manifests")
    .option("--demo", "send steady traffic to the gateways")
    .option("--envoy <path>", "the Envoy binary; else KIRIKAE_ENVOY, then PATH, then one that is fetched once")
    .option("--gateway-port <port=port>", "where a gateway's port listens, 80=8080 or ns/name:80=9080", collect, [])
    .option("--port <port>", "the port of the API and the status page; a free one by default", parsePort)
    .option("-n, --namespace <namespace>", "the namespace of manifests that name none", "default")
    .option("--concurrency <threads>", "Envoy's worker threads", parseCount)
    .option("--allow-commands", "let releases that are started here run commands as judges, with your rights")
    .option(...jsonOption)
    .action((folder: string, options: UpCommandOptions) => runUp(context, folder, options));
}

/** Runs until a signal asks it to stop, or until it cannot go on; the latter throws. */
async function runUp(context: CommandContext, folder: string, options: UpCommandOptions): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const starting = new AbortController();
  using stopListening = context.onStop((signal) => {
    context.terminal.note(`${signal}: stopping what was started. Once more leaves it running and ends this at once.`);
    starting.abort(new StoppedEarly(signal));
    asked.resolve();
  });
  const { createUpPrinter } = await import("../print/up.ts");
  const print = createUpPrinter(context.terminal, options.json === true ? "json" : "text");
  const { up } = await import("../../app.ts");
  const { currentActor } = await import("./move-options.ts");
  const starts = up({
    folder,
    envoy: options.envoy,
    gatewayPorts: options.gatewayPort,
    apiPort: options.port,
    actor: currentActor(context.env),
    defaultNamespace: options.namespace,
    demo: options.demo === true,
    concurrency: options.concurrency,
    allowsCommands: options.allowCommands === true,
    signal: starting.signal,
    onEvent: (event: UpEvent) => print(event),
  });
  try {
    await using mesh = await starts;
    await Promise.race([asked.promise, mesh.stopped]);
    context.finish(0);
  } catch (error) {
    if (!(error instanceof StoppedEarly)) throw error;
    context.finish(128 + constants.signals[error.signal]);
  }
}

/** A start that was asked to stop is no error to explain, and no success either. */
class StoppedEarly extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal} while starting`);
    this.signal = signal;
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,3}$/u.test(text) && count >= 1) return count;
  throw new InvalidArgumentError("It is a number of threads, from 1 to 999.");
}
