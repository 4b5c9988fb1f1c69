import type { Command, Option } from "commander";
import type { CommandContext } from "../../src/cli/command.ts";
import { plainInk } from "../../src/cli/ink.ts";
import { buildProgram, environmentHelp, exitStatusHelp } from "../../src/cli/program.ts";
import { escapeCell } from "./markdown.ts";

/** docs/cli.md: every command with its arguments and options, as the program itself knows them. */
export function renderCliDocs(): string {
  const program = buildProgram(absentContext);
  return [
    "<!-- Written by `npm run docs` from src/cli. Do not edit. -->",
    "# The command line",
    "",
    program.description(),
    "",
    "Answers go to stdout; progress, diagnostics and errors go to stderr. Every command but `emit` takes `--json`; an error is then",
    'also printed on stdout as `{"ok": false, "error": {"code", "message", "hint", "details"}}`.',
    "",
    "## Exit status",
    "",
    ...exitStatusHelp.map(([status, meaning]) => `- \`${status}\` ${meaning}`),
    "",
    "## Environment",
    "",
    ...environmentHelp.map(([name, meaning]) => `- \`${name}\` ${meaning}`),
    "",
    ...program.commands.flatMap((command) => renderCommand(command)),
    ...contracts,
  ].join("\n");
}

function renderCommand(command: Command, group = "kirikae"): readonly string[] {
  const args = command.registeredArguments;
  const name = `${group} ${command.name()}`;
  if (command.commands.length > 0) {
    const parts = command.commands.flatMap((part) => renderCommand(part, name));
    return [`## ${name}`, "", `${upperFirst(command.description())}.`, "", ...parts];
  }
  return [
    `## ${name}`,
    "",
    `${upperFirst(command.description())}.`,
    "",
    "```",
    `${name} ${command.usage()}`,
    "```",
    "",
    ...(args.length === 0
      ? []
      : [
          "| Argument | Meaning |",
          "|---|---|",
          ...args.map((arg) => `| \`${arg.name()}\` | ${escapeCell(arg.description)} |`),
          "",
        ]),
    "| Option | Meaning |",
    "|---|---|",
    ...command.options.map(renderOption),
    "",
  ];
}

function renderOption(option: Option): string {
  const remarks = [
    ...(option.mandatory ? ["required"] : []),
    ...(option.argChoices === undefined ? [] : [`one of ${option.argChoices.join(", ")}`]),
    ...(typeof option.defaultValue === "string" ? [`default: ${option.defaultValue}`] : []),
  ];
  const remark = remarks.length === 0 ? "" : ` (${remarks.join("; ")})`;
  return `| \`${escapeCell(option.flags)}\` | ${escapeCell(option.description)}${remark} |`;
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const contracts = [
  "## What scripts may rely on",
  "",
  "More keys may follow in later versions; those named here stay.",
  "",
  "- `up DIR --json`: one object a line. The first is",
  '  `{"event":"ready","api":"http://127.0.0.1:N","gateways":[{"gateway":"ns/name","server":"http","address":"127.0.0.1:8080"}]}`.',
  "  What happens before it is written to stderr as text.",
  "- `switch`, `shift` and `rollback` with `--json`: `{ok, from, to, callToProofMs, proxies:[{node, ackMs}],",
  "  ledger:{requests, ok, failed, byVersion, lastOldMs, oldAfterDone}}`. `ledger` is null for a move that counted nothing.",
  "- `explain DIR --url URL --json`: `{outcome, status, flag, virtualService, rule, match, name,",
  "  arms:[{cluster, host, subset, port, weightPercent, endpoints}], at:{file, line}, steps}`; `rule` and `match` count",
  "  from 0. A miss is an answer like any other: exit status 0.",
  "- `check PATH --json`: `[{code, istioCode, level, message, hint, resource, at:{file, line, column}, suppression}]`;",
  "  `suppression` is null, or `{reason, at}` for what `--show-suppressed` adds.",
  "- `routes DIR --json` and what `explain --json` has beside this: docs/guide/scripts-contract.md.",
  "- `check --explain CODE --json`: `[{code, istioCode, level, title, meaning, canBeSilenced}]`.",
  "- `status --watch --json`: one document a line, as `status --json` prints it, whenever something has changed.",
  "",
];

function isAbsent(): never {
  throw new Error("the documented commands are not run");
}

const absentContext: CommandContext = {
  terminal: {
    ink: plainInk,
    noteInk: plainInk,
    isInteractive: false,
    closed: new AbortController().signal,
    columns: 80,
    answer: isAbsent,
    note: isAbsent,
    redraw: isAbsent,
  },
  env: {},
  version: "0.0.0",
  input: { [Symbol.asyncIterator]: isAbsent },
  finish: isAbsent,
  onStop: isAbsent,
};
