import { parseDuration } from "../../core/manifest/decode/duration.ts";
import {
  createCommand,
  jsonOption,
  namespaceOption,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";
import { usageError } from "../usage-error.ts";

export interface WaitOptions extends JsonOption {
  readonly namespace?: string;
  readonly for: WaitGoal;
  readonly timeout: number;
}

/** `paused` is every phase in which a person is waited for. */
export type WaitGoal = "done" | "paused" | "failed";

export function waitCommand(context: CommandContext): Command {
  return createCommand(
    "wait",
    "wait until a release is done, waits for a person, or failed; with --context also one that the cluster carries out",
  )
    .argument("<name>", "the release")
    .option("--for <goal>", "done, paused or failed", parseGoal, "done" as WaitGoal)
    .option("--timeout <duration>", "how long to wait at most, such as 90s; 10m by default", parseTimeout)
    .option(...namespaceOption)
    .option(...jsonOption)
    .action(async (name: string, options: Omit<WaitOptions, "timeout"> & Partial<WaitOptions>) => {
      const { runWait } = await import("./run-wait.ts");
      await runWait(context, name, { timeout: 600_000, ...options });
    });
}

function parseGoal(text: string): WaitGoal {
  if (text === "done" || text === "paused" || text === "failed") return text;
  throw usageError(`"${text}" is nothing that a release can be waited for.`, "Use done, paused or failed.");
}

function parseTimeout(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs >= 0) return durationMs;
  throw usageError(`"${text}" is not a duration.`, "Write it as in `--timeout 10m`.");
}
