import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { personOption } from "./move-options.ts";
import { usageError } from "../usage-error.ts";
import {
  createCommand,
  jsonOption,
  namespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export interface OrderOptions extends JsonOption {
  readonly namespace?: string;
  readonly reason?: string;
  readonly as?: string;
  readonly full?: true;
  readonly despiteFreeze?: true;
}

const orders = {
  promote: "end the hold or the pause that a release is in, and go on",
  pause: "stop a release before its next step; weights stay as they are",
  resume: "go on after a pause, or with what Ctrl-C has left on a cluster; a hold waits for what was left of it",
  approve: "say yes to what a release asks; each person counts once",
  reject: "say no to it; the release stops, and weights stay as they are",
  retry: "try again what failed: a step, or the way back",
  abort: "end a release where it is; weights stay as they are",
} satisfies Partial<Record<ReleaseCommand["kind"], string>>;

/** One command for each thing that a release can be told; on a cluster without a running `up` it is carried out here. */
export function releaseOrderCommands(): readonly ((context: CommandContext) => Command)[] {
  return Object.entries(orders).map(
    ([kind, summary]) =>
      (context) =>
        orderCommand(context, { kind, summary }),
  );
}

function orderCommand(
  context: CommandContext,
  { kind, summary }: { readonly kind: string; readonly summary: string },
): Command {
  const command = createCommand(kind, summary)
    .argument("<name>", "the release")
    .option(...namespaceOption)
    .option("--reason <text>", "why, for the history")
    .option(...personOption);
  if (kind === "promote") {
    command
      .option("--full", "pass every hold and check that is left; approvals stay")
      .option("--despite-freeze", "begin the next step although a freeze is in force; needs --reason");
  }
  return command.option(...jsonOption).action(async (name: string, options: OrderOptions) => {
    const { runReleaseOrder } = await import("./run-release-order.ts");
    await runReleaseOrder(context, { name, command: toCommand(kind, options) }, options);
  });
}

function toCommand(kind: string, { full, despiteFreeze, reason }: OrderOptions): ReleaseCommand {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names come from the table above.
  if (kind !== "promote") return { kind } as ReleaseCommand;
  if (despiteFreeze === true && reason === undefined) {
    throw usageError("--despite-freeze needs a reason.", "Say why with --reason, for those who asked for the freeze.");
  }
  return { kind, full: full === true, ...(despiteFreeze === true ? { despiteFreeze } : {}) };
}
