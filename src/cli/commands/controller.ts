import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import type { RunControllerOptions } from "../../app/site/run-controller.ts";
import { createCommand, type Command, type CommandContext } from "../command.ts";
import { readReach, type SiteFlags } from "../site-options.ts";
import { usageError } from "../usage-error.ts";

interface ControllerFlags extends SiteFlags {
  readonly namespace?: string;
  readonly leaseNamespace?: string;
  readonly leaseName?: string;
  readonly identity?: string;
  readonly healthPort?: number;
  readonly webhookPort?: number;
  readonly webhookFailure: "open" | "closed";
  readonly webhookCertificate?: string;
  readonly webhookKey?: string;
  readonly allowCommands?: true;
  readonly allowSecrets?: true;
  readonly allowOtherNamespaces?: true;
  readonly allowJudgeHost?: readonly string[];
  readonly log: string;
}

export function controllerCommand(context: CommandContext): Command {
  return createCommand("controller", "carry out the Release objects of a cluster, until it is stopped")
    .option("-n, --namespace <namespace>", "the only namespace whose Releases and routes count; all by default")
    .option("--lease-namespace <namespace>", "where the Lease is; the pod's own by default")
    .option("--lease-name <name>", "the Lease by which one of several replicas is chosen; kirikae by default")
    .option("--identity <name>", "of this replica, and of no other; POD_NAME or the host's name by default")
    .option("--health-port <port>", "answers /healthz, /readyz and /metrics; 0 takes a free one", parsePort)
    .option("--webhook-port <port>", "checks objects before the API server stores them; 0 takes a free one", parsePort)
    .addOption(
      new Option("--webhook-failure <policy>", "whether objects pass that could not be checked")
        .choices(["open", "closed"])
        .default("open"),
    )
    .option("--webhook-certificate <file>", "of the webhook, in PEM; without it kirikae keeps one in the cluster")
    .option("--webhook-key <file>", "the certificate's key, in PEM")
    .option("--allow-commands", "let Releases run commands as judges, with the rights of this process")
    .option("--allow-secrets", "let Releases name secrets in the files and the environment of this process")
    .option("--allow-other-namespaces", "let Releases move routes of other namespaces than their own")
    .option(
      "--allow-judge-host <host>",
      "let judges and notifications ask this host or host:port of the controller's own machine; repeatable",
      collectHost,
    )
    .option("--log <form>", "text or json, one line an event on standard error", parseForm, "text")
    .action((_options: unknown, command: Command) =>
      runController(context, command.optsWithGlobals<ControllerFlags>()),
    );
}

async function runController(context: CommandContext, flags: ControllerFlags): Promise<void> {
  const { env, terminal } = context;
  const [cluster, another] = flags.context ?? [];
  if (another !== undefined) {
    throw usageError("controller goes with one --context.", "Run one controller for each cluster.");
  }
  const asked = Promise.withResolvers<void>();
  const stop = new AbortController();
  using stopListening = context.onStop((signal) => {
    log("info", `${signal}: ends the step that is under way, and gives the Lease back`);
    stop.abort();
    asked.resolve();
  });
  const log = (level: "info" | "warning", message: string): void => {
    const time = new Date().toISOString();
    terminal.note(flags.log === "json" ? JSON.stringify({ time, level, message }) : `${time} ${level} ${message}`);
  };
  const { runController: start } = await import("../../app/site/run-controller.ts");
  await using controller = await start(
    {
      site: { ...readReach(flags, env), context: cluster },
      namespace: flags.namespace,
      leaseNamespace: flags.leaseNamespace ?? env["POD_NAMESPACE"],
      leaseName: flags.leaseName,
      identity: flags.identity ?? env["POD_NAME"] ?? `${hostname()}-${randomBytes(3).toString("hex")}`,
      healthPort: flags.healthPort,
      webhook: readWebhook(flags),
      allows: {
        commands: flags.allowCommands === true,
        secrets: flags.allowSecrets === true,
        otherNamespaces: flags.allowOtherNamespaces === true,
        judgeHosts: flags.allowJudgeHost ?? [],
      },
      stop: stop.signal,
      onNote: (message) => log("info", message),
      onTrouble: (message) => log("warning", message),
    },
    env,
  );
  if (controller.webhookPort !== undefined) log("info", `objects are checked at port ${controller.webhookPort}`);
  if (controller.healthPort !== undefined) log("info", `health is told at port ${controller.healthPort}`);
  await asked.promise;
  context.finish(0);
}

function readWebhook(flags: ControllerFlags): RunControllerOptions["webhook"] {
  const {
    webhookPort: port,
    webhookFailure: failure,
    webhookCertificate: certificateFile,
    webhookKey: keyFile,
  } = flags;
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw usageError("The webhook's certificate and its key go together.", "Give both files, or none.");
  }
  if (port === undefined) return undefined;
  const files = certificateFile === undefined || keyFile === undefined ? undefined : { certificateFile, keyFile };
  return { port, failure, files };
}

/** As it stands in the addresses of judges. */
function collectHost(text: string, before: readonly string[] = []): readonly string[] {
  const url = URL.parse(`http://${text}`);
  if (url !== null && url.pathname === "/" && url.search + url.hash + url.username === "" && !text.includes("/")) {
    return [...before, url.port === "" && text.endsWith(":80") ? `${url.hostname}:80` : url.host];
  }
  throw new InvalidArgumentError("A host is a name or an address, with or without a port, such as 127.0.0.1:9090.");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function parseForm(text: string): string {
  if (text === "text" || text === "json") return text;
  throw new InvalidArgumentError("It is text or json.");
}
