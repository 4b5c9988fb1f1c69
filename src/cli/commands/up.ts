import { constants } from "node:os";
import { InvalidArgumentError } from "commander";
import type { RunningMesh, UpEvent } from "../../app-types.ts";
import type { SiteOptions } from "../../app/site/connection/site-options.ts";
import { currentActor } from "./move-options.ts";
import { usageError } from "../usage-error.ts";
import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

interface UpCommandOptions extends JsonOption {
  readonly demo?: true;
  readonly envoy?: string;
  readonly gatewayPort: readonly string[];
  readonly port?: number;
  readonly namespace?: string;
  readonly concurrency?: number;
  readonly allowCommands?: true;
}

export function upCommand(context: CommandContext): Command {
  return createCommand("up", "run a folder of manifests on a real Envoy, or move a cluster from here, until Ctrl-C")
    .argument("[dir]", "the folder of manifests; none with --context, which moves a cluster from here")
    .option("--demo", "send steady traffic to the gateways")
    .option("--envoy <path>", "the Envoy binary; else KIRIKAE_ENVOY, then PATH, then one that is fetched once")
    .option("--gateway-port <port=port>", "where a gateway's port listens, 80=8080 or ns/name:80=9080", collect, [])
    .option("--port <port>", "the port of the API and the status page; a free one by default", parsePort)
    .option(
      "-n, --namespace <namespace>",
      "of manifests that name none, default unless given; with --context where you have rights in single ones",
    )
    .option("--concurrency <threads>", "Envoy's worker threads", parseCount)
    .option("--allow-commands", "let releases that are started here run commands as judges, with your rights")
    .option(...jsonOption)
    .action(async (folder: string | undefined, options: UpCommandOptions) => {
      const [site, ...others] = context.sites?.() ?? [];
      if (site === undefined) {
        if (folder === undefined)
          throw usageError("Missing required argument 'dir'.", "Or name a cluster with --context.");
        return runUp(context, options, (signal, onEvent) => upFolder(context, { folder, options, signal, onEvent }));
      }
      if (folder !== undefined) throw usageError("up takes a folder or --context.", "One of them, not both.");
      refuseLocal(options);
      return runUp(context, options, (signal, onEvent) =>
        upSites(context, { sites: [site, ...others], options, signal, onEvent }),
      );
    });
}

type Start = (signal: AbortSignal, onEvent: (event: UpEvent) => void) => Promise<RunningMesh>;

/** Runs until a signal asks it to stop, or until it cannot go on; the latter throws. */
async function runUp(context: CommandContext, options: UpCommandOptions, start: Start): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const starting = new AbortController();
  using stopListening = context.onStop((signal) => {
    context.terminal.note(`${signal}: stopping what was started. Once more leaves it running and ends this at once.`);
    starting.abort(new StoppedEarly(signal));
    asked.resolve();
  });
  const { createUpPrinter } = await import("../print/up.ts");
  const print = createUpPrinter(context.terminal, options.json === true ? "json" : "text");
  try {
    await using mesh = await start(starting.signal, (event) => print(event));
    await Promise.race([asked.promise, mesh.stopped]);
    context.finish(0);
  } catch (error) {
    if (!(error instanceof StoppedEarly)) throw error;
    context.finish(128 + constants.signals[error.signal]);
  }
}

interface UpCall {
  readonly options: UpCommandOptions;
  readonly signal: AbortSignal;
  readonly onEvent: (event: UpEvent) => void;
}

async function upFolder(
  context: CommandContext,
  { folder, options, signal, onEvent }: UpCall & { readonly folder: string },
): Promise<RunningMesh> {
  const { up } = await import("../../app.ts");
  return await up({
    folder,
    envoy: options.envoy,
    gatewayPorts: options.gatewayPort,
    apiPort: options.port,
    actor: currentActor(context.env),
    defaultNamespace: options.namespace ?? "default",
    demo: options.demo === true,
    concurrency: options.concurrency,
    allowsCommands: options.allowCommands === true,
    signal,
    onEvent,
  });
}

async function upSites(
  context: CommandContext,
  { sites, options, signal, onEvent }: UpCall & { readonly sites: readonly [SiteOptions, ...SiteOptions[]] },
): Promise<RunningMesh> {
  const { upSite } = await import("../../app/site/up-site.ts");
  const [site, ...others] = sites;
  const within = (each: SiteOptions): SiteOptions => ({ ...each, namespace: options.namespace });
  return await upSite(
    {
      sites: [within(site), ...others.map(within)],
      apiPort: options.port,
      actor: currentActor(context.env),
      allowsCommands: options.allowCommands === true,
      folder: process.cwd(),
      signal,
      onEvent,
    },
    context.env,
  );
}

/** What is about an Envoy of this machine says nothing of a cluster. */
function refuseLocal({ demo, envoy, gatewayPort, concurrency }: UpCommandOptions): void {
  const given = [
    ...(demo === true ? ["--demo"] : []),
    ...(envoy === undefined ? [] : ["--envoy"]),
    ...(gatewayPort.length === 0 ? [] : ["--gateway-port"]),
    ...(concurrency === undefined ? [] : ["--concurrency"]),
  ];
  if (given.length > 0) throw usageError(`${given.join(", ")} is about this machine and does not go with --context.`);
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
