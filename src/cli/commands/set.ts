import type { SetShares } from "../../core/release/state/release-state.ts";
import { createCommand, jsonOption, namespaceOption, type Command, type CommandContext } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { personOption } from "./move-options.ts";
import { parseShares } from "./parse-shares.ts";
import type { OrderOptions } from "./release-orders.ts";

interface SetOptions extends OrderOptions {
  readonly weight: readonly string[];
}

export function setCommand(context: CommandContext): Command {
  return createCommand("set", "give the versions of a release any weights by hand; it is paused at its step then")
    .argument("<name>", "the release")
    .requiredOption("--weight <percent...>", "of the new version, such as 10, or of several: green=10,blue=90")
    .option(...namespaceOption)
    .option("--reason <text>", "why, for the history")
    .option(...personOption)
    .option(...jsonOption)
    .action(async (name: string, options: SetOptions) => {
      const shares = parseWeights(options.weight);
      const { runReleaseOrder } = await import("./run-release-order.ts");
      await runReleaseOrder(context, { name, command: { kind: "set", shares } }, options);
    });
}

function parseWeights(texts: readonly string[]): SetShares {
  const [only, ...others] = texts;
  if (only === undefined || others.length > 0 || only.includes("=")) return parseShares(texts, "--weight");
  const percent = /^(?<percent>\d{1,3}(?:\.\d+)?)%?$/u.exec(only.trim())?.groups?.["percent"];
  if (percent !== undefined && Number(percent) <= 100) return Number(percent);
  throw usageError(
    `"${only}" is not a share.`,
    "Write it as in `--weight 10` or `--weight green=10,blue=90`, from 0 to 100.",
  );
}
