import { Command } from "commander";
import type { CommandContext } from "./command.ts";
import { checkCommand } from "./commands/check.ts";
import { controllerCommand } from "./commands/controller.ts";
import { curlCommand } from "./commands/curl.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { emitCommand } from "./commands/emit.ts";
import { explainCommand } from "./commands/explain.ts";
import { gitOpsCommand } from "./commands/gitops.ts";
import { historyCommand } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { pageCommand } from "./commands/page.ts";
import { listCommand } from "./commands/list.ts";
import { planCommand } from "./commands/plan.ts";
import { releaseOrderCommands } from "./commands/release-orders.ts";
import { schemaCommand } from "./commands/schema.ts";
import { startCommand } from "./commands/start.ts";
import { waitCommand } from "./commands/wait.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { reportCommand } from "./commands/report.ts";
import { routesCommand } from "./commands/routes.ts";
import { setCommand } from "./commands/set.ts";
import { shiftCommand } from "./commands/shift.ts";
import { statusCommand } from "./commands/status.ts";
import { switchCommand } from "./commands/switch.ts";
import { upCommand } from "./commands/up.ts";
import { addSiteOptions } from "./site-options.ts";
import { renderTable } from "./terminal.ts";
import { usageError } from "./usage-error.ts";

/** The whole command tree. Building it loads no more than its own names; docs/cli.md is generated from it. */
export function buildProgram(context: CommandContext): Command {
  const { terminal, version } = context;
  const program = new Command("kirikae")
    .description("Moves live traffic between versions of a service, proves that it moved, and takes it back at once.")
    .version(version, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.answer(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      // Usage errors are thrown and printed with the others.
      outputError: () => {},
    })
    .addHelpText("after", renderHelpEnd);
  addSiteOptions(program);
  program.hook("preAction", (_program, command) => refuseContext(context, command.name()));
  const commands = [
    upCommand,
    switchCommand,
    shiftCommand,
    rollbackCommand,
    statusCommand,
    historyCommand,
    curlCommand,
    controllerCommand,
  ];
  const releases = [startCommand, listCommand, reportCommand, waitCommand, ...releaseOrderCommands(), setCommand];
  const offline = [
    checkCommand,
    importCommand,
    gitOpsCommand,
    planCommand,
    explainCommand,
    routesCommand,
    emitCommand,
    schemaCommand,
    doctorCommand,
    pageCommand,
  ];
  for (const create of [...commands, ...releases, ...offline]) {
    const command = create(context);
    command.copyInheritedSettings(program);
    for (const part of command.commands) part.copyInheritedSettings(program);
    program.addCommand(command);
  }
  return program;
}

/** What these commands are about is never in a cluster; to pass over a context would answer for the wrong place. */
const ofThisMachine: ReadonlySet<string> = new Set(["curl", "import", "schema"]);

function refuseContext({ sites }: CommandContext, command: string): void {
  // In a pod it names no context, and reads how istiod is reached all the same.
  if (command === "controller") return;
  const [site] = sites?.() ?? [];
  if (site === undefined || !ofThisMachine.has(command)) return;
  throw usageError(`${command} does not go with --context.`, "`kirikae help` shows what there is.");
}

export const exitStatusHelp = [
  ["0", "yes"],
  ["1", "the answer is no: errors found, or the move is not proved"],
  ["2", "wrong use or input"],
  ["3", "the environment: nothing is running, a port is taken, no Envoy, a cluster that does not answer or forbids it"],
  ["4", "`wait` alone: its time was over, and the release goes on"],
  ["130", "Ctrl-C: what runs in `kirikae up` goes on there; a release that is carried out here stays after its step"],
] as const;

export const environmentHelp = [
  ["KIRIKAE_STATE", "the state folder; two with different ones do not meet"],
  ["KIRIKAE_ENVOY", "the Envoy binary to run"],
  ["KIRIKAE_ISTIOD", "where istiod's debug port is reached, as --istiod; several with commas"],
  ["KIRIKAE_PROXY_ADMIN", "where proxies' admin ports are reached, as --proxy-admin; several with commas"],
  ["KIRIKAE_GATEWAY_ADDRESS", "where probes of releases reach Gateways, as --gateway-address; several with commas"],
  ["KIRIKAE_DEBUG", "1 prints where an unexpected error happened"],
  ["NO_COLOR", "turns colours off"],
  ["FORCE_COLOR", "turns colours on, also in a pipe"],
] as const;

function renderHelpEnd(): string {
  return `\nExit status:\n${renderTable(exitStatusHelp, "  ")}\n\nEnvironment:\n${renderTable(environmentHelp, "  ")}`;
}
